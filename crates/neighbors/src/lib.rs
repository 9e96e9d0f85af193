//! What real clients of the family also call: other AWS services as far as these clients need
//! them, a folder each.
//!
//! A service enters with the operations that a named client sends, each as AWS does it; what else
//! the service could do is refused by name.

pub mod cloudwatch;
pub mod dynamodb;
pub mod iam;
pub mod logs;
mod sealing;
pub mod sns;
pub mod sts;
