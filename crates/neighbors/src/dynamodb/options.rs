//! What a server's owner can choose about DynamoDB.

/// Options of the service.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most bytes of all items together: they are in memory.
    pub items_bytes_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { items_bytes_max: 1 << 30 }
    }
}
