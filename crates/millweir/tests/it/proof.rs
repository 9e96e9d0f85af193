//! What the README promises, proved against the real program with an outside ledger.

mod apache;
mod kill_loop;
mod ledger;
