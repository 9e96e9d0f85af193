//! What is stored under which key, a file each.

mod alarm_row;
mod delivery_row;
mod key_row;
mod message_row;
mod subscription_row;
mod topic_row;

pub(super) use alarm_row::AlarmRow;
pub(super) use delivery_row::DeliveryRow;
pub(super) use key_row::KeyRow;
pub(super) use message_row::{Attribute, Kind, MessageRow};
pub(super) use subscription_row::{State, SubscriptionRow};
pub(super) use topic_row::{TopicRow, policy_key, tags_key};
