//! Policies that an access key can be given by name.

/// What a key may do that has one of these, as IAM writes it; names of services that are not
/// served yet do no harm.
const MANAGED: [(&str, &str); 4] = [
    ("admin", r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#),
    (
        "read-only",
        r#"{"Statement":{"Effect":"Allow","Resource":"*",
            "Action":["kinesis:Describe*","kinesis:Get*","kinesis:List*",
                "dynamodb:Describe*","dynamodb:GetItem","dynamodb:ListTagsOfResource",
                "dynamodb:Query","dynamodb:Scan",
                "cloudwatch:Describe*","cloudwatch:Get*","cloudwatch:List*",
                "logs:Describe*","logs:FilterLogEvents","logs:Get*","logs:List*",
                "logs:TestMetricFilter","iam:Get*","iam:List*","sns:Get*","sns:List*"]}}"#,
    ),
    // The KPL tells CloudWatch what it does.
    (
        "producer",
        r#"{"Statement":{"Effect":"Allow","Resource":"*",
            "Action":["kinesis:Describe*","kinesis:List*","kinesis:PutRecord","kinesis:PutRecords",
                "cloudwatch:PutMetricData"]}}"#,
    ),
    // Its leases are in a table of its own making; the KCL tells CloudWatch what it does.
    (
        "consumer",
        r#"{"Statement":{"Effect":"Allow","Resource":"*",
            "Action":["kinesis:DeregisterStreamConsumer","kinesis:Describe*","kinesis:Get*",
                "kinesis:List*","kinesis:RegisterStreamConsumer","kinesis:SubscribeToShard",
                "dynamodb:ConditionCheckItem","dynamodb:CreateTable","dynamodb:DeleteItem",
                "dynamodb:DescribeTable","dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query",
                "dynamodb:Scan","dynamodb:UpdateItem","dynamodb:UpdateTable",
                "cloudwatch:PutMetricData"]}}"#,
    ),
];

/// The names, for messages.
pub(crate) fn names() -> String {
    MANAGED.map(|(name, _)| name).join(", ")
}

/// The document of this name.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    MANAGED.iter().find(|(known, _)| *known == name).map(|(_, document)| *document)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::policy::Policy;

    #[test]
    fn each_is_a_policy() {
        for (name, document) in MANAGED {
            Policy::parse_identity(document).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}
