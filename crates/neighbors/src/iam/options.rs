//! What a server's owner can choose about IAM.

/// Options of the service. What it has is in memory: a role or a user takes some kilobytes, at most
/// some forty, a policy with five versions at most a hundred.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most roles of an account.
    pub roles_max: usize,
    /// Most users of an account.
    pub users_max: usize,
    /// Most managed policies of an account, AWS's own not counted.
    pub policies_max: usize,
}

impl Options {
    /// The largest number that makes sense for any of them.
    pub const MOST: usize = 100_000;
}

impl Default for Options {
    /// AWS's quotas of a new account.
    fn default() -> Self {
        Self { roles_max: 1000, users_max: 5000, policies_max: 1500 }
    }
}
