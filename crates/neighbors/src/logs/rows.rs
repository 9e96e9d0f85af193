//! What is stored under which key, a file each.

mod chunk_row;
mod filter_row;
mod group_row;
mod stream_row;

pub(super) use chunk_row::ChunkRow;
pub(super) use filter_row::{CursorRow, FilterRow};
pub(super) use group_row::{GroupRow, tags_key};
pub(super) use stream_row::StreamRow;
