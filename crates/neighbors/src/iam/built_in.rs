//! Policies that every account finds: those of AWS's that people attach, by AWS's names. What they
//! allow is written here from what their names say, as far as services of this server go.

use super::ids;
use super::managed::Managed;
use super::policy_name::PolicyName;
use super::rows::{PolicyRow, VersionRow};
use kit::Tags;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

/// The day on which most of AWS's own were made.
const CREATED_MS: i64 = 1_423_180_800_000;

/// A policy of AWS's.
struct BuiltIn {
    path: &'static str,
    name: &'static str,
    description: &'static str,
    /// What it allows, and with which resources.
    allows: &'static [(&'static [&'static str], &'static str)],
}

const fn all(
    name: &'static str,
    description: &'static str,
    allows: &'static [(&'static [&'static str], &'static str)],
) -> BuiltIn {
    BuiltIn { path: "/", name, description, allows }
}

const fn for_service(
    name: &'static str,
    description: &'static str,
    allows: &'static [(&'static [&'static str], &'static str)],
) -> BuiltIn {
    BuiltIn { path: "/service-role/", name, description, allows }
}

const LOGS: &[&str] = &["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"];

const BUILT_IN: &[BuiltIn] = &[
    all("AdministratorAccess", "Everything.", &[(&["*"], "*")]),
    all(
        "AmazonDynamoDBFullAccess",
        "All of DynamoDB, and alarms upon its metrics.",
        &[(
            &[
                "dynamodb:*",
                "dax:*",
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarm*",
                "cloudwatch:GetMetric*",
                "cloudwatch:ListMetrics",
                "cloudwatch:PutMetricAlarm",
            ],
            "*",
        )],
    ),
    all(
        "AmazonDynamoDBReadOnlyAccess",
        "Reading of DynamoDB.",
        &[(
            &[
                "dynamodb:BatchGetItem",
                "dynamodb:Describe*",
                "dynamodb:Get*",
                "dynamodb:List*",
                "dynamodb:PartiQLSelect",
                "dynamodb:Query",
                "dynamodb:Scan",
            ],
            "*",
        )],
    ),
    all(
        "AmazonKinesisAnalyticsFullAccess",
        "All of Kinesis Analytics, and the streams and logs that applications need.",
        &[
            (&["kinesisanalytics:*"], "*"),
            (
                &[
                    "kinesis:CreateStream",
                    "kinesis:DeleteStream",
                    "kinesis:DescribeStream",
                    "kinesis:ListStreams",
                    "kinesis:PutRecord",
                    "kinesis:PutRecords",
                    "firehose:DescribeDeliveryStream",
                    "firehose:ListDeliveryStreams",
                    "cloudwatch:GetMetricStatistics",
                    "cloudwatch:ListMetrics",
                    "logs:GetLogEvents",
                    "iam:ListPolicyVersions",
                    "iam:ListRoles",
                ],
                "*",
            ),
            (&["iam:PassRole"], "arn:*:iam::*:role/service-role/kinesis-analytics*"),
        ],
    ),
    all("AmazonKinesisFirehoseFullAccess", "All of Firehose.", &[(&["firehose:*"], "*")]),
    all(
        "AmazonKinesisFirehoseReadOnlyAccess",
        "Reading of Firehose.",
        &[(&["firehose:Describe*", "firehose:List*"], "*")],
    ),
    all("AmazonKinesisFullAccess", "All of Data Streams.", &[(&["kinesis:*"], "*")]),
    all(
        "AmazonKinesisReadOnlyAccess",
        "Reading of Data Streams.",
        &[(&["kinesis:Describe*", "kinesis:Get*", "kinesis:List*"], "*")],
    ),
    all(
        "AmazonKinesisVideoStreamsFullAccess",
        "All of Video Streams.",
        &[(&["kinesisvideo:*"], "*")],
    ),
    all(
        "AmazonKinesisVideoStreamsReadOnlyAccess",
        "Reading of Video Streams.",
        &[(&["kinesisvideo:Describe*", "kinesisvideo:Get*", "kinesisvideo:List*"], "*")],
    ),
    all("AmazonS3FullAccess", "All of S3.", &[(&["s3:*", "s3-object-lambda:*"], "*")]),
    all(
        "AmazonS3ReadOnlyAccess",
        "Reading of S3.",
        &[(&["s3:Describe*", "s3:Get*", "s3:List*"], "*")],
    ),
    all("AmazonSNSFullAccess", "All of SNS.", &[(&["sns:*"], "*")]),
    all(
        "AmazonSNSReadOnlyAccess",
        "Reading of SNS.",
        &[(&["sns:Check*", "sns:Get*", "sns:List*"], "*")],
    ),
    all(
        "AWSLambdaExecute",
        "What many functions do: objects of S3 and logs.",
        &[(&["logs:*"], "arn:*:logs:*:*:*"), (&["s3:GetObject", "s3:PutObject"], "arn:*:s3:::*")],
    ),
    all(
        "AWSLambda_FullAccess",
        "All of Lambda, and what functions are connected with.",
        &[(
            &[
                "lambda:*",
                "cloudwatch:ListMetrics",
                "cloudwatch:GetMetricData",
                "iam:GetPolicy",
                "iam:GetPolicyVersion",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoles",
                "iam:PassRole",
                "logs:DescribeLogGroups",
                "logs:DescribeLogStreams",
                "logs:FilterLogEvents",
            ],
            "*",
        )],
    ),
    all(
        "CloudWatchFullAccess",
        "All of CloudWatch and its logs.",
        &[(&["cloudwatch:*", "logs:*", "sns:*", "autoscaling:Describe*"], "*")],
    ),
    all(
        "CloudWatchFullAccessV2",
        "All of CloudWatch and its logs.",
        &[(&["cloudwatch:*", "logs:*", "sns:CreateTopic", "sns:ListTopics", "sns:Subscribe"], "*")],
    ),
    all(
        "CloudWatchLogsFullAccess",
        "All of CloudWatch Logs.",
        &[(&["logs:*", "cloudwatch:GenerateQuery"], "*")],
    ),
    all(
        "CloudWatchLogsReadOnlyAccess",
        "Reading of CloudWatch Logs.",
        &[(
            &[
                "logs:Describe*",
                "logs:FilterLogEvents",
                "logs:Get*",
                "logs:List*",
                "logs:StartLiveTail",
                "logs:StartQuery",
                "logs:StopLiveTail",
                "logs:StopQuery",
                "logs:TestMetricFilter",
            ],
            "*",
        )],
    ),
    all(
        "CloudWatchReadOnlyAccess",
        "Reading of CloudWatch and its logs.",
        &[(
            &[
                "cloudwatch:Describe*",
                "cloudwatch:Get*",
                "cloudwatch:List*",
                "logs:Describe*",
                "logs:FilterLogEvents",
                "logs:Get*",
                "logs:List*",
                "logs:StartQuery",
                "logs:StopQuery",
                "sns:Get*",
                "sns:List*",
            ],
            "*",
        )],
    ),
    all("IAMFullAccess", "All of IAM.", &[(&["iam:*"], "*")]),
    all("IAMReadOnlyAccess", "Reading of IAM.", &[(&["iam:Get*", "iam:List*"], "*")]),
    all(
        "PowerUserAccess",
        "Everything but who may do what.",
        &[(
            &[
                "cloudwatch:*",
                "dynamodb:*",
                "firehose:*",
                "glue:*",
                "kinesis:*",
                "kinesisanalytics:*",
                "kinesisvideo:*",
                "lambda:*",
                "logs:*",
                "s3:*",
                "sns:*",
                "sts:*",
                "iam:ListRoles",
            ],
            "*",
        )],
    ),
    all(
        "ReadOnlyAccess",
        "Reading of everything.",
        &[(
            &[
                "cloudwatch:Describe*",
                "cloudwatch:Get*",
                "cloudwatch:List*",
                "dynamodb:BatchGet*",
                "dynamodb:Describe*",
                "dynamodb:Get*",
                "dynamodb:List*",
                "dynamodb:Query",
                "dynamodb:Scan",
                "firehose:Describe*",
                "firehose:List*",
                "glue:BatchGet*",
                "glue:Get*",
                "glue:List*",
                "iam:Get*",
                "iam:List*",
                "kinesis:Describe*",
                "kinesis:Get*",
                "kinesis:List*",
                "kinesisanalytics:Describe*",
                "kinesisanalytics:Discover*",
                "kinesisanalytics:List*",
                "kinesisvideo:Describe*",
                "kinesisvideo:Get*",
                "kinesisvideo:List*",
                "lambda:Get*",
                "lambda:List*",
                "logs:Describe*",
                "logs:FilterLogEvents",
                "logs:Get*",
                "logs:List*",
                "s3:Describe*",
                "s3:Get*",
                "s3:List*",
                "sns:Get*",
                "sns:List*",
                "sts:GetCallerIdentity",
            ],
            "*",
        )],
    ),
    for_service(
        "AWSGlueServiceRole",
        "What crawlers and jobs need.",
        &[
            (
                &[
                    "glue:*",
                    "s3:GetBucketLocation",
                    "s3:ListBucket",
                    "s3:ListAllMyBuckets",
                    "s3:GetBucketAcl",
                    "iam:ListRolePolicies",
                    "iam:GetRole",
                    "iam:GetRolePolicy",
                    "cloudwatch:PutMetricData",
                ],
                "*",
            ),
            (&["s3:CreateBucket"], "arn:*:s3:::aws-glue-*"),
            (&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:*:s3:::aws-glue-*/*"),
            (LOGS, "arn:*:logs:*:*:*:/aws-glue/*"),
        ],
    ),
    for_service("AWSLambdaBasicExecutionRole", "Logs of functions.", &[(LOGS, "*")]),
    for_service(
        "AWSLambdaDynamoDBExecutionRole",
        "Reading of a table's stream, and logs of functions.",
        &[
            (
                &[
                    "dynamodb:DescribeStream",
                    "dynamodb:GetRecords",
                    "dynamodb:GetShardIterator",
                    "dynamodb:ListStreams",
                ],
                "*",
            ),
            (LOGS, "*"),
        ],
    ),
    for_service(
        "AWSLambdaKinesisExecutionRole",
        "Reading of streams, and logs of functions.",
        &[
            (
                &[
                    "kinesis:DescribeStream",
                    "kinesis:DescribeStreamConsumer",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                    "kinesis:ListStreams",
                    "kinesis:SubscribeToShard",
                ],
                "*",
            ),
            (LOGS, "*"),
        ],
    ),
    for_service(
        "AWSLambdaVPCAccessExecutionRole",
        "Network interfaces and logs of functions.",
        &[
            (LOGS, "*"),
            (
                &[
                    "ec2:AssignPrivateIpAddresses",
                    "ec2:CreateNetworkInterface",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSubnets",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                "*",
            ),
        ],
    ),
];

static MANAGED: LazyLock<BTreeMap<PolicyName, Arc<Managed>>> =
    LazyLock::new(|| BUILT_IN.iter().map(BuiltIn::managed).collect());

/// One of AWS's policies.
pub(super) fn find(name: &PolicyName) -> Option<Arc<Managed>> {
    MANAGED.get(name).cloned()
}

/// All of AWS's policies that are here.
pub(super) fn list() -> impl Iterator<Item = Arc<Managed>> {
    MANAGED.values().cloned()
}

impl BuiltIn {
    fn managed(&self) -> (PolicyName, Arc<Managed>) {
        let Self { path, name, description, allows } = *self;
        let named = PolicyName::of_aws(path, name);
        let statement = |&(actions, resource): &(&[&str], &str)| {
            let allow = "Allow";
            json!({ "Effect": allow, "Action": actions, "Resource": resource })
        };
        let statements: Vec<_> = allows.iter().map(statement).collect();
        let document = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let version = VersionRow { document, created_ms: CREATED_MS };
        let row = PolicyRow {
            name: name.into(),
            path: path.into(),
            id: ids::derived_id("ANPA", name),
            partition: "aws".into(),
            description: Some(description.into()),
            tags: Tags::default(),
            created_ms: CREATED_MS,
            updated_ms: CREATED_MS,
            versions: BTreeMap::from([(1, version)]),
            default: 1,
            next: 2,
        };
        (named.clone(), Arc::new(Managed::new(named, row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::policy::Policy;

    #[test]
    fn all_are_understood() {
        assert_eq!(MANAGED.len(), BUILT_IN.len(), "no name twice");
        for managed in list() {
            let document = managed.row.document();
            Policy::parse_identity(document).unwrap();
            assert!(crate::iam::documents::size(document) <= 6144, "{:?}", managed.name);
        }
        let lambda = PolicyName::of_aws("/service-role/", "AWSLambdaKinesisExecutionRole");
        assert!(find(&lambda).is_some());
        assert!(find(&PolicyName::of_aws("/", "AWSLambdaKinesisExecutionRole")).is_none());
    }
}
