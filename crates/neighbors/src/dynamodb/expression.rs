//! Expressions: conditions, filters, updates and projections, whichever way a request writes them.
//!
//! ```text
//! text, names, values --lexer, parser--> Condition | Update | Paths <--legacy-- Expected, ..
//! Condition + item -> does it hold; Update + item -> the new item; Paths + item -> its part
//! ```
//!
//! The parameters of before there were expressions (`Expected`, `AttributeUpdates`, ..) become the
//! same trees, so that there is one meaning.

mod condition;
mod key_condition;
mod legacy;
mod lexer;
mod parser;
mod path;
mod reserved;
mod update;

pub(super) use condition::{Comparator, Condition};
pub(super) use key_condition::{KeyCondition, SortCondition};
pub(super) use legacy::{attribute_updates, conditions, expected, key_conditions};
pub(super) use parser::{Kind, Parameters, check_one_style};
pub(super) use path::{Path, Projection};
pub(super) use update::Update;
