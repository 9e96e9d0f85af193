//! The service through its surface, over memory engines and a clock that the tests move.

#![expect(clippy::unwrap_used, reason = "helpers of tests check what happened, too")]

mod accounts;
mod clocks;
mod consumers;
mod disk;
mod fan_out;
mod held;
mod house;
mod in_process;
mod lineage;
mod listing;
mod reads;
mod resharding;
mod restart;
mod script;
mod streams_life;
mod writes;
