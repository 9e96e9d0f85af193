//! What lies in the catalog: one file per stored key, each with its round-trip test.
//!
//! How rows are kept: [`kit::rows`].

mod item_row;
mod table_row;
mod token_row;

pub(super) use item_row::{item_key, item_prefix};
pub(super) use table_row::{Billing, IndexRow, Projected, Status, TableRow, tags_key};
pub(super) use token_row::TokenRow;
