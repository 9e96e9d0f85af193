//! What patterns want.

use super::*;
use proptest::prelude::*;

/// Messages that a pattern wants, and others.
fn check(pattern: &str, wanted: &[&str], others: &[&str]) {
    let read = Pattern::parse(pattern).unwrap_or_else(|| panic!("{pattern} is a pattern"));
    for message in wanted {
        assert!(read.matches(message), "{pattern} wants {message}");
    }
    for message in others {
        assert!(!read.matches(message), "{pattern} does not want {message}");
    }
}

#[test]
fn terms() {
    check("", &["", "anything"], &[]);
    check("ERROR", &["[ERROR 400]", "ERROR"], &["error", "WARN"]);
    check("ERROR BAD", &["BAD then ERROR"], &["ERROR", "BAD"]);
    check("?ERROR ?WARN", &["ERROR", "a WARN"], &["INFO"]);
    check("ERROR -EXITING", &["ERROR a"], &["ERROR: EXITING", "a"]);
    check("-EXITING", &["ERROR"], &["EXITING"]);
    check("?A B", &["B"], &["A"]);
    check(r#""INTERNAL SERVER""#, &["an INTERNAL SERVER ERROR"], &["INTERNAL  SERVER"]);
    check(r#"-"a b" ?"c d""#, &["c d", "x"], &["c d a b"]);
    check(r#""a \"b\"""#, &[r#"x a "b" y"#], &["a b"]);
    check("%4[0-9]{2}%", &["status 404"], &["status 504"]);
    check("a -%^b%", &["a"], &["b a"]);
}

#[test]
fn properties() {
    let event = r#"{"type":"x y","n":3,"ok":true,"none":null,"d":{"e":"ab"},"l":[{"f":1},{"f":2}],
        "ip":"10.0.0.1","code":"404","a b":1}"#;
    for wanted in [
        r#"{ $.type = "x y" }"#,
        r#"{$.type="x*"}"#,
        r"{ $.d.e = ab }",
        r#"{ $.d.e != "b" }"#,
        "{ $.n = 3 && $.n >= 3 && $.n < 4 && $.n != 4 }",
        "{ $.n = 3.0 }",
        "{ $.n = 7 || $.ok IS TRUE }",
        "{ ($.n = 7 || $.n = 3) && ($.none IS NULL) }",
        "{ $.missing NOT EXISTS }",
        "{ $.l[1].f = 2 }",
        "{ $.l[*].f = 1 }",
        "{ $.ip = 10.* }",
        "{ $.ip = %^10\\.0% }",
        "{ $.code = 404 }",
        r#"{ $["a b"] = 1 }"#,
        r#"{ $.["a b"] = 1 }"#,
        "{ $.n > -1e3 }",
    ] {
        check(
            wanted,
            &[event],
            &["no JSON", "{", "7", "[]"].map(|m| if wanted.contains("EXISTS") { "7" } else { m }),
        );
    }
    for other in [
        r#"{ $.type = "x" }"#,
        "{ $.missing = 1 }",
        "{ $.missing != 1 }",
        "{ $.none NOT EXISTS }",
        "{ $.missing IS NULL }",
        "{ $.ok IS FALSE }",
        "{ $.n > 3 }",
        "{ $.type > 3 }",
        "{ $.code > 3 }",
        "{ $.l[7].f = 2 }",
        "{ $.n = 7 && $.n = 3 || $.n = 9 }",
        "{ $.d = ab }",
    ] {
        check(other, &[], &[event]);
    }
}

#[test]
fn columns() {
    let log = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /a.gif HTTP/1.0" 404 1534"#;
    for wanted in [
        "[ip, id, user, timestamp, request, status, bytes]",
        "[ip, id, user, timestamp, request, status = 4*, bytes > 1000]",
        "[ip, id, user, timestamp, request = *.gif*, status = 404 || status = 410, bytes]",
        "[..., status = 404, bytes]",
        "[ip = 127.*, ...]",
        "[ip != 10.*, ..., bytes = 1534]",
        "[ip, , user = frank, ...]",
        "[ip, ..., status = %^4%, bytes]",
        "[..., request = \"GET /a.gif HTTP/1.0\", status, bytes]",
    ] {
        check(wanted, &[log], &["a", ""]);
    }
    for other in ["[ip, id]", "[..., status = 5*, bytes]", "[ip, id, user, t, r, s, bytes < 9]"] {
        check(other, &[], &[log]);
    }
    check("[a, b]", &["x y", " x  y "], &["x", "x y z"]);
}

#[test]
fn what_is_extracted() {
    let of = |pattern: &str, message: &str| {
        let values = Pattern::parse(pattern).unwrap().extracted(message);
        values.into_iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>()
    };
    assert_eq!(of("a", "a"), Vec::<String>::new());
    let message = r#"{"a":{"b":"x"},"n":3}"#;
    assert_eq!(of("{ $.a.b = x && $.n = 3 || $.z = 1 }", message), ["$.a.b=x", "$.n=3"]);
    assert_eq!(of("[a, ..., c]", "1 2 3 4"), ["$a=1", "$c=4"]);
}

#[test]
fn what_is_none() {
    let deep = format!("{{ {} $.a = 1 {} }}", "(".repeat(99), ")".repeat(99));
    for pattern in [
        "{",
        "{}",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a = 1",
        "{ $.a = 1 } x",
        "{ a = 1 }",
        "{ $ = 1 }",
        "{ $. = 1 }",
        "{ $.a[x] = 1 }",
        "{ $.a IS x }",
        "{ $.a NOT x }",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a = \"x }",
        "{ $.a = %(% }",
        &deep,
        "[",
        "[a",
        "[a b]",
        "[a, ..., b, ...]",
        "[a = 1, b = 2 && c = 3]",
        "[a = ]",
        "\"a",
        "-",
        "?",
        "%(%",
        "%a",
    ] {
        assert!(Pattern::parse(pattern).is_none(), "{pattern}");
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(pattern in "[{\\[]?[ a$.=!<>()&|%\"\\[\\]{}*,é?1-]{0,40}", message in ".{0,40}") {
        if let Some(read) = Pattern::parse(&pattern) {
            let _wanted = (read.matches(&message), read.extracted(&message));
        }
    }
}
