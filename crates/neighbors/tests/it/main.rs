//! The surface of the neighbours' services: operations over memory engines and a fake clock.

#![expect(clippy::unwrap_used, reason = "helpers of tests check what happened, too")]

mod cloudwatch_alarms;
mod cloudwatch_metrics;
mod dynamodb_indexes;
mod dynamodb_items;
mod dynamodb_life;
mod dynamodb_queries;
mod dynamodb_tables;
mod house;
mod iam_policies;
mod iam_roles;
mod iam_users;
mod logs;
mod logs_filters;
mod sink;
mod sns;
mod sns_deliveries;
mod sts;
