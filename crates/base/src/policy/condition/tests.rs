use super::*;
use crate::{AccountId, Origin, Region};
use proptest::prelude::*;

/// Ten and a half seconds after 2026-01-01.
const NOW_MS: i64 = 1_767_225_610_500;

/// A request of a user from 192.0.2.7 over TLS.
fn ann() -> Cx {
    let account = AccountId::parse("111111111111").unwrap();
    let address = Some("192.0.2.7".parse().unwrap());
    let origin = Origin { address, is_tls: true, time_ms: NOW_MS };
    let (caller_arn, user_id) =
        ("arn:aws:iam::111111111111:user/team.ann".into(), Some("AIDAANN".into()));
    Cx { caller_arn, user_id, origin, ..Cx::of_service(account, Region::default()) }
}

/// A request of the account's root, of which neither a user nor an address is known.
fn root() -> Cx {
    Cx::of_service(AccountId::parse("111111111111").unwrap(), Region::default())
}

fn parse(operators: &str) -> Result<Vec<Condition>, BadPolicy> {
    let Ok(Value::Object(operators)) = serde_json::from_str(operators) else {
        panic!("no object: {operators}");
    };
    Condition::parse_all(&operators)
}

fn one(operator: &str, key: &str, values: &str) -> Result<Vec<Condition>, BadPolicy> {
    parse(&format!(r#"{{"{operator}":{{"{key}":{values}}}}}"#))
}

fn holds(cx: &Cx, operator: &str, key: &str, values: &str) -> bool {
    let all = one(operator, key, values).unwrap_or_else(|e| panic!("{operator} {key}: {e}"));
    all.iter().all(|c| c.holds(cx, &Context::default()))
}

const STRINGS: [&str; 3] = ["StringEquals", "StringEqualsIgnoreCase", "StringLike"];
const NOT_STRINGS: [&str; 3] = ["StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike"];
const ARNS: [&str; 4] = ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"];
const DATES: [&str; 6] = [
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
];
const ADDRESSES: [&str; 2] = ["IpAddress", "NotIpAddress"];

/// Each key, and the operators that can tell its values apart, with a value that they can read.
#[test]
fn every_key_has_one_family_of_operators() {
    let strings = [STRINGS, NOT_STRINGS].concat();
    let with_arns = [&strings[..], &ARNS].concat();
    let suiting: [(&str, &[&str]); 17] = [
        ("aws:CurrentTime", &DATES),
        ("aws:PrincipalAccount", &strings),
        ("aws:PrincipalArn", &with_arns),
        ("aws:PrincipalIsAWSService", &["Bool"]),
        ("aws:PrincipalType", &strings),
        ("aws:RequestedRegion", &strings),
        ("aws:SecureTransport", &["Bool"]),
        ("aws:SourceIp", &ADDRESSES),
        ("aws:SourceOwner", &strings),
        ("aws:userid", &strings),
        ("aws:username", &strings),
        ("aws:ViaAWSService", &["Bool"]),
        ("aws:SourceArn", &with_arns),
        ("aws:SourceAccount", &strings),
        ("iam:PassedToService", &strings),
        ("sts:ExternalId", &strings),
        ("sts:RoleSessionName", &strings),
    ];
    let all = [&with_arns[..], &DATES, &ADDRESSES, &["Bool"]].concat();
    for (key, suits) in suiting {
        for operator in &all {
            let value = match *operator {
                o if o.starts_with("Date") => r#""2026-01-01""#,
                o if o.starts_with("Arn") => r#""arn:aws:iam::1:user/a""#,
                o if o.ends_with("IpAddress") => r#""10.0.0.0/8""#,
                _ => r#""true""#,
            };
            let read = one(operator, key, value);
            assert_eq!(read.is_ok(), suits.contains(operator), "{operator} {key}: {read:?}");
        }
        for null in ["true", r#""false""#] {
            assert!(one("Null", key, null).is_ok(), "{key}");
        }
    }
}

#[test]
fn comparisons_of_strings() {
    let ann = ann();
    for (key, values, [equals, ignore_case, like]) in [
        ("aws:username", r#""team.ann""#, [true, true, true]),
        ("aws:username", r#""TEAM.Ann""#, [false, true, false]),
        ("aws:username", r#""team.*""#, [false, false, true]),
        ("aws:username", r#""team.a?n""#, [false, false, true]),
        ("aws:username", r#""Team.*""#, [false, false, false]),
        ("aws:username", r#""*""#, [false, false, true]),
        ("aws:username", r#""""#, [false, false, false]),
        ("aws:username", r#"["x","team.ann"]"#, [true, true, true]),
        ("aws:userid", r#""AIDAANN""#, [true, true, true]),
        ("aws:PrincipalAccount", "111111111111", [true, true, true]),
        ("aws:PrincipalAccount", r#""1111*""#, [false, false, true]),
        ("aws:PrincipalType", r#""user""#, [false, true, false]),
        ("aws:RequestedRegion", r#""us-*-1""#, [false, false, true]),
        ("aws:PrincipalArn", r#""arn:*ann""#, [false, false, true]),
    ] {
        let want = [equals, ignore_case, like];
        for at in 0..3 {
            let (operator, not) = (STRINGS[at], NOT_STRINGS[at]);
            assert_eq!(holds(&ann, operator, key, values), want[at], "{operator} {key} {values}");
            assert_eq!(holds(&ann, not, key, values), !want[at], "{not} {key} {values}");
        }
    }
}

#[test]
fn arns_are_compared_part_by_part() {
    for (pattern, want) in [
        ("arn:aws:iam::111111111111:user/team.ann", true),
        ("arn:*:iam::111111111111:user/team.ann", true),
        ("arn:aws:iam::1*1:user/*", true),
        ("arn:aws:iam::11111111111?:user/team.a??", true),
        ("arn:aws:iam:*:*:*", true),
        ("*", true),
        ("arn:aws:iam::111111111111:user/ann", false),
        ("arn:aws:iam::111111111111:USER/team.ann", false),
        ("arn:aws:*:111111111111:user/team.ann:*", false),
        ("arn:*:*:*:*:*ann:*", false),
        ("arn:aws:sts::111111111111:*", false),
    ] {
        let values = format!(r#"["arn:aws:iam::9:user/x","{pattern}"]"#);
        for (operator, want) in ARNS.iter().zip([want, want, !want, !want]) {
            assert_eq!(holds(&ann(), operator, "aws:PrincipalArn", &values), want, "{pattern}");
        }
    }
    for wrong in ["", "ann", "arn:aws:iam::1", "urn:aws:iam::1:user/a", "**"] {
        let read = one("ArnLike", "aws:PrincipalArn", &format!(r#""{wrong}""#));
        assert!(read.is_err(), "{wrong}");
    }
}

/// Less, equal and greater, of whole seconds; every other operator is made of these.
#[test]
fn dates_are_compared_by_the_second() {
    for (value, order) in [
        (r#""2026-01-01T00:00:09Z""#, Ordering::Greater),
        (r#""2026-01-01T00:00:10Z""#, Ordering::Equal),
        (r#""2026-01-01T00:00:10.9Z""#, Ordering::Equal),
        (r#""2026-01-01T02:00:10+02:00""#, Ordering::Equal),
        (r#""2026-01-01T00:00:11Z""#, Ordering::Less),
        (r#""2026-01""#, Ordering::Greater),
        (r#""2027""#, Ordering::Less),
        ("1767225610", Ordering::Equal),
        (r#""1767225611""#, Ordering::Less),
        ("-1", Ordering::Greater),
        ("0", Ordering::Greater),
    ] {
        use Ordering::{Equal, Greater, Less};
        let want: [&[Ordering]; 6] =
            [&[Equal], &[Less, Greater], &[Less], &[Less, Equal], &[Greater], &[Greater, Equal]];
        for (operator, orders) in DATES.iter().zip(want) {
            let found = holds(&ann(), operator, "aws:CurrentTime", value);
            assert_eq!(found, orders.contains(&order), "{operator} {value}");
        }
    }
    for wrong in [r#""""#, r#""now""#, r#""1.5""#, "1.5", r#""2026-13""#, "true", r#""1e9""#] {
        assert!(one("DateEquals", "aws:CurrentTime", wrong).is_err(), "{wrong}");
    }
}

#[test]
fn addresses_and_flags() {
    let v6 = |text: &str| {
        let origin = Origin { address: Some(text.parse().unwrap()), ..ann().origin };
        Cx { origin, ..ann() }
    };
    for (cx, values, want) in [
        (ann(), r#""192.0.2.7""#, true),
        (ann(), r#""192.0.2.7/32""#, true),
        (ann(), r#"["10.0.0.0/8","192.0.2.0/29"]"#, true),
        (ann(), r#"["10.0.0.0/8","192.0.2.8/29"]"#, false),
        (ann(), r#""::/0""#, false),
        (v6("2001:db8::7"), r#""2001:DB8::/32""#, true),
        (v6("2001:db9::7"), r#""2001:db8::/32""#, false),
        (v6("2001:db8::7"), r#""0.0.0.0/0""#, false),
    ] {
        assert_eq!(holds(&cx, "IpAddress", "aws:SourceIp", values), want, "{values}");
        assert_eq!(holds(&cx, "NotIpAddress", "aws:SourceIp", values), !want, "{values}");
    }
    for (key, is) in [
        ("aws:SecureTransport", true),
        ("aws:ViaAWSService", false),
        ("aws:PrincipalIsAWSService", false),
    ] {
        for (values, want) in [
            ("true", is),
            (r#""TRUE""#, is),
            ("false", !is),
            (r#""False""#, !is),
            (r#"[true,"false"]"#, true),
        ] {
            assert_eq!(holds(&ann(), "Bool", key, values), want, "{key} {values}");
        }
    }
    for wrong in ["1", r#""yes""#, "[]", "null", r#"["true","maybe"]"#, "{}"] {
        assert!(one("Bool", "aws:SecureTransport", wrong).is_err(), "{wrong}");
    }
}

/// What the words of sets and `IfExists` make of a key that is absent; one that is present is
/// compared as without them.
#[test]
fn every_operator_with_every_word() {
    let string = |operator| (operator, "aws:username", r#""team.ann""#);
    let address = |operator| (operator, "aws:SourceIp", r#""192.0.2.0/24""#);
    let positive = [&STRINGS.map(string)[..], &[address("IpAddress")]].concat();
    let negative = [&NOT_STRINGS.map(string)[..], &[address("NotIpAddress")]].concat();
    for (negated, operators) in [(false, positive), (true, negative)] {
        for (operator, key, values) in operators {
            for (before, behind, absent) in [
                ("", "", negated),
                ("", "IfExists", true),
                ("ForAllValues:", "", true),
                ("ForAllValues:", "IfExists", true),
                ("ForAnyValue:", "", false),
                ("ForAnyValue:", "IfExists", true),
            ] {
                let whole = format!("{before}{operator}{behind}");
                assert_eq!(holds(&root(), &whole, key, values), absent, "{whole}, absent");
                assert_eq!(holds(&ann(), &whole, key, values), !negated, "{whole}, present");
            }
        }
    }
}

#[test]
fn null_asks_whether_there_is_one() {
    for (key, of_ann, of_root) in [
        ("aws:username", true, false),
        ("aws:SourceIp", true, false),
        ("aws:userid", true, true),
        ("aws:CurrentTime", true, true),
        ("aws:PrincipalType", true, true),
    ] {
        for (cx, is_there) in [(ann(), of_ann), (root(), of_root)] {
            assert_eq!(holds(&cx, "Null", key, "true"), !is_there, "{key}");
            assert_eq!(holds(&cx, "Null", key, r#""False""#), is_there, "{key}");
            assert!(holds(&cx, "Null", key, "[true,false]"), "{key}");
        }
    }
}

#[test]
fn callers_of_every_type() {
    const ROLE: &str = "arn:aws:iam::111111111111:role/path/reader";
    for (caller, role, of_type, user) in [
        ("arn:aws:iam::111111111111:root", None, "Account", None),
        ("arn:aws:iam::111111111111:user/ann", None, "User", Some("ann")),
        ("arn:aws:iam::1:user/a:b:assumed-role/c/ann", None, "User", Some("ann")),
        ("arn:aws:sts::111111111111:assumed-role/reader/s", Some(ROLE), "AssumedRole", None),
    ] {
        let cx = Cx { caller_arn: caller.into(), role_arn: role.map(Into::into), ..root() };
        let arn = format!("\"{}\"", role.unwrap_or(caller));
        assert!(holds(&cx, "StringEquals", "aws:PrincipalArn", &arn), "{caller}");
        assert!(holds(&cx, "StringEquals", "aws:PrincipalType", &format!("\"{of_type}\"")));
        let name = format!("\"{}\"", user.unwrap_or("ann"));
        assert_eq!(holds(&cx, "StringEquals", "aws:username", &name), user.is_some(), "{caller}");
    }
}

/// Operators and keys are asked for together, values of one key by themselves.
#[test]
fn all_of_a_statement_must_hold() {
    const US: &str = r#""aws:RequestedRegion":"us-east-1""#;
    const EU: &str = r#""aws:RequestedRegion":"eu-west-1""#;
    const ANN: &str = r#""aws:userid":"AIDAANN""#;
    for (operators, want) in [
        ("{}".to_owned(), true),
        (format!(r#"{{"StringEquals":{{{US},{ANN}}}}}"#), true),
        (format!(r#"{{"StringEquals":{{{EU},{ANN}}}}}"#), false),
        (format!(r#"{{"StringEquals":{{{US}}},"StringLike":{{{ANN}}}}}"#), true),
        (format!(r#"{{"StringEquals":{{{US}}},"StringLike":{{{EU}}}}}"#), false),
        (format!(r#"{{"StringNotEquals":{{{EU}}},"StringLike":{{{US}}}}}"#), true),
    ] {
        let all = parse(&operators).unwrap_or_else(|e| panic!("{operators}: {e}"));
        assert_eq!(all.iter().all(|c| c.holds(&ann(), &Context::default())), want, "{operators}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (operator, key, values, want) in [
        ("StringEquals", "aws:SourceVpc", r#""v""#, "the condition key `aws:SourceVpc`"),
        ("StringMatches", "aws:userid", r#""v""#, "operator `StringMatches` is not supported"),
        ("Boolean", "aws:SecureTransport", "true", "operator `Boolean` is not supported"),
        ("BinaryEquals", "aws:userid", r#""QQ==""#, "`BinaryEquals` is not supported"),
        ("IfExists", "aws:userid", r#""v""#, "`IfExists` is not supported"),
        ("ForAllValues:", "aws:userid", r#""v""#, "`ForAllValues:` is not supported"),
        ("forallvalues:StringLike", "aws:userid", r#""v""#, "is not supported"),
        ("ForAnyValue:Null", "aws:userid", "true", "`ForAnyValue:Null` is not supported"),
        ("Bool", "aws:userid", "true", "`Bool` cannot compare `aws:userid`"),
        ("IpAddress", "aws:SourceIp", r#""10.0.0.0/40""#, "an address or a network, not"),
        ("StringLike", "aws:userid", r#""${aws:userid}""#, "policy variables"),
        ("StringLike", "aws:userid", r#"["a",["b"]]"#, "a text or a list of texts"),
    ] {
        let said = one(operator, key, values).unwrap_err().to_string();
        assert!(said.contains(want), "{operator} {key} {values}: {said}");
    }
}

proptest! {
    /// A negation is the opposite for whoever has the key, whatever the pattern and the name.
    #[test]
    fn negations_are_opposites(name in "[a-c*?]{0,6}", pattern in "[a-cA-C*?]{0,6}") {
        let cx = Cx { caller_arn: format!("arn:aws:iam::1:user/{name}").into(), ..root() };
        let values = format!("\"{pattern}\"");
        for (operator, not) in STRINGS.iter().zip(NOT_STRINGS) {
            let held = holds(&cx, operator, "aws:username", &values);
            prop_assert_eq!(held, !holds(&cx, not, "aws:username", &values));
        }
        // What is equal is alike, too, unless case made it so.
        if holds(&cx, "StringEquals", "aws:username", &values) {
            prop_assert!(holds(&cx, "StringLike", "aws:username", &values));
            prop_assert!(holds(&cx, "StringEqualsIgnoreCase", "aws:username", &values));
        }
    }

    /// Refused or understood, never a panic.
    #[test]
    fn whatever_is_asked_for_has_an_answer(operator in ".{0,30}", value in ".{0,40}") {
        let value = serde_json::to_string(&value).unwrap();
        for key in ["aws:CurrentTime", "aws:SourceIp", "aws:username"] {
            let operators = [operator.as_str(), "DateEquals", "IpAddress", "StringLike"];
            for operator in operators {
                let operator = serde_json::to_string(operator).unwrap();
                let text = format!(r#"{{{operator}:{{"{key}":{value}}}}}"#);
                if let Ok(all) = parse(&text) {
                    let _either = all.iter().all(|c| c.holds(&ann(), &Context::default()));
                }
            }
        }
    }
}

/// What only some requests have is absent in others.
#[test]
fn keys_that_the_request_brings() {
    let some = Context {
        service: Some("firehose.amazonaws.com"),
        external_id: Some("id"),
        role_session_name: Some("s"),
        source_arn: Some("arn:aws:firehose:us-east-1:111111111111:deliverystream/d"),
        source_account: Some("111111111111"),
        passed_to_service: Some("lambda.amazonaws.com"),
    };
    for (operator, key, value) in [
        ("StringEquals", "sts:externalid", "id"),
        ("StringLike", "sts:RoleSessionName", "s*"),
        ("ArnLike", "AWS:SourceArn", "arn:aws:firehose:*:111111111111:deliverystream/*"),
        ("StringEquals", "aws:SourceAccount", "111111111111"),
        ("StringEquals", "iam:PassedToService", "lambda.amazonaws.com"),
        ("Bool", "aws:PrincipalIsAWSService", "true"),
    ] {
        let read = one(operator, key, &format!("\"{value}\"")).unwrap();
        for (context, want) in [(some, true), (Context::default(), false)] {
            assert_eq!(read[0].holds(&root(), &context), want, "{operator} {key}");
        }
    }
}
