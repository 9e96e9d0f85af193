//! Sizes of requests that senders must know as well as those who check: the generated checks have
//! the model's, the texts of refusals the others.

/// Data Streams.
#[cfg(feature = "kinesis")]
pub mod kinesis {
    /// Most entries of one `PutRecords` (model).
    pub const ENTRIES_MAX: usize = 500;
    /// Most bytes of data and partition keys of one `PutRecords`, and of the largest record that a
    /// stream can be set to take (model).
    pub const REQUEST_BYTES_MAX: usize = 10 << 20;
    /// Most characters of a partition key (model).
    pub const KEY_CHARS_MAX: usize = 256;
}
