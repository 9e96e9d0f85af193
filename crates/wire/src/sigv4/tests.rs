//! Known signatures, and every way to get one wrong.

use super::*;
use crate::Refusal;
use base::AccountId;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request that owns its parts.
#[derive(Clone, Debug, Default)]
struct Request {
    title: String,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn set(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(n, _)| n != name);
        self
    }

    fn replace(mut self, name: &str, from: &str, to: &str) -> Self {
        for (_, value) in self.headers.iter_mut().filter(|(n, _)| n == name) {
            assert!(value.contains(from), "{value} has no {from}");
            *value = value.replace(from, to);
        }
        self
    }

    fn with_parts<T>(&self, f: impl FnOnce(&Parts<'_>) -> T) -> T {
        let headers: Vec<(&str, &[u8])> =
            self.headers.iter().map(|(n, v)| (n.as_str(), v.as_bytes())).collect();
        f(&Parts { method: &self.method, path: &self.path, query: &self.query, headers: &headers })
    }

    fn verify_at(&self, keys: &Keyring, now: &str) -> Result<Principal, Refusal> {
        self.verify_over(keys, now, true)
    }

    fn verify_over(&self, keys: &Keyring, now: &str, is_tls: bool) -> Result<Principal, Refusal> {
        let now_ms = date::parse(now).unwrap();
        let hash = payload_hash(self.body.as_bytes());
        self.with_parts(|p| {
            Vouched::read(*p, keys, Addressee { service: "kinesis", headers: &[] }, now_ms)?
                .verify(&hash, is_tls)
        })
    }

    fn check(&self, want: &str) {
        let token = match self.title.as_str() {
            "session token" => Some("FwoGZXIvYXdzE=="),
            "query with token" => Some("a+b/c=="),
            _ => None,
        };
        self.check_at(&keyring(token, None), SIGNED_AT, want);
    }

    fn check_at(&self, keys: &Keyring, now: &str, want: &str) {
        let got = match self.verify_at(keys, now) {
            Ok(who) => format!("{} {}", who.region, who.caller_arn),
            Err(refusal) => {
                assert_eq!(refusal.status, 400);
                format!("{}: {}", refusal.code, refusal.message)
            }
        };
        assert_eq!(got, want, "{}", self.title);
    }
}

/// When `botocore.txt` was signed.
const SIGNED_AT: &str = "20261123T153814Z";
const FINE: &str = "eu-west-1 arn:aws:iam::123456789012:user/alice";
const MISMATCH: &str = "InvalidSignatureException: The request signature we calculated does not \
                        match the signature you provided. Check your AWS Secret Access Key and \
                        signing method. Consult the service documentation for details.";
const UNRECOGNIZED: &str =
    "UnrecognizedClientException: The security token included in the request is invalid.";

/// Requests that botocore 1.43.11 signed.
fn botocore() -> Vec<Request> {
    let mut out: Vec<Request> = Vec::new();
    let mut in_body = false;
    for line in include_str!("botocore.txt").lines() {
        if let Some(title) = line.strip_prefix("# ") {
            out.push(Request { title: title.to_owned(), ..Request::default() });
            in_body = false;
            continue;
        }
        let request = out.last_mut().unwrap();
        if request.method.is_empty() {
            let (method, target) = line.split_once(' ').unwrap();
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            request.method = method.to_owned();
            request.path = path.to_owned();
            request.query = query.to_owned();
        } else if in_body {
            request.body.push_str(line);
        } else if line.is_empty() {
            in_body = true;
        } else {
            let (name, value) = line.split_once(": ").unwrap();
            request.headers.push((name.to_owned(), value.to_owned()));
        }
    }
    out
}

fn case(title: &str) -> Request {
    botocore().into_iter().find(|request| request.title == title).unwrap()
}

fn keyring(token: Option<&str>, expires: Option<&str>) -> Keyring {
    let key = Key {
        secret_access_key: Secret::new(SECRET),
        session_token: token.map(Secret::new),
        expires_ms: expires.and_then(date::parse),
        account: AccountId::parse("123456789012").unwrap(),
        caller_arn: "arn:aws:iam::123456789012:user/alice".into(),
        user_id: "AIDATEST".into(),
        role_arn: None,
        permissions: base::policy::Permissions::All,
    };
    Keyring::new([("AKIDEXAMPLE".to_owned(), key)])
}

#[test]
fn what_botocore_signs_is_accepted() {
    let all = botocore();
    assert_eq!(all.len(), 8);
    for request in all {
        request.check(FINE);
    }
}

#[test]
fn what_changed_on_the_way_is_refused() {
    for request in botocore() {
        let moved = Request { path: "/elsewhere".to_owned(), ..request.clone() };
        moved.check(MISMATCH);
        let asked = Request { query: format!("{}&y=1", request.query), ..request.clone() };
        asked.check(MISMATCH);
        request.clone().set("x-amz-target", "Kinesis_20131202.DeleteStream").check(MISMATCH);
        let other_body = Request { body: "{\"a\":2}".to_owned(), ..request.clone() };
        let covered = request.title != "unsigned payload";
        other_body.check(if covered { MISMATCH } else { FINE });
    }
}

#[test]
fn spelling_of_headers_does_not_matter() {
    let mut request = case("odd blanks");
    request.headers.reverse();
    request.check(FINE);
    request.clone().set("x-amz-meta", "a b c").check(FINE);
    request.clone().set("user-agent", "another").check(FINE);
    request.clone().set("x-amz-meta", "abc").check(MISMATCH);
    let header = request.headers.iter().find(|(n, _)| n == "authorization").unwrap().1.clone();
    request.clone().set("authorization", &header.replace(", ", ",")).check(FINE);
    request.clone().set("authorization", &header.replace(", ", ",  ")).check(FINE);
}

/// Published signatures of the key `AKIDEXAMPLE` at 2015-08-30 12:36:00 for `us-east-1/service`.
#[test]
fn published_vectors() {
    let check = |method: &str, query: &str, extra: &[(&str, &[u8])], body: &str, want: &str| {
        let mut headers: Vec<(&str, &[u8])> = vec![("host", b"example.amazonaws.com")];
        headers.extend(extra);
        let parts = Parts { method, path: "/", query, headers: &headers };
        let scope = Scope { region: "us-east-1", service: "service" };
        let hash = payload_hash(body.as_bytes());
        let signed = sign(&parts, &hash, &credentials(None), scope, 1_440_938_160_000);
        let (_, signature) = signed.authorization.split_once("Signature=").unwrap();
        assert_eq!(signature, want, "{method} {query} {extra:?}");
        assert_eq!(signed.x_amz_date, "20150830T123600Z");
    };
    check("GET", "", &[], "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    check(
        "GET",
        "Param2=value2&Param1=value1",
        &[],
        "",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    check("POST", "", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    check(
        "GET",
        "",
        &[("my-header1", b" value1"), ("my-header2", b" \"a   b   c\"")],
        "",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    );
    check(
        "POST",
        "",
        &[("content-type", b"application/x-www-form-urlencoded")],
        "Param1=value1",
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    );
}

fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new(SECRET),
        session_token: token.map(Secret::new),
    }
}

/// Signs with our own signer, over HTTP/2's name for the host or HTTP/1's.
fn ours(host: &str, token: Option<&str>) -> Request {
    let request = Request {
        title: format!("ours {host} {token:?}"),
        method: "POST".to_owned(),
        path: "/".to_owned(),
        body: "{}".to_owned(),
        ..Request::default()
    };
    let request = request.set(host, "localhost:4566").set("x-amz-target", "Kinesis_20131202.A");
    let scope = Scope { region: "eu-west-1", service: "kinesis" };
    let at_ms = date::parse(SIGNED_AT).unwrap();
    let signed = request
        .with_parts(|parts| sign(parts, &payload_hash(b"{}"), &credentials(token), scope, at_ms));
    let request =
        request.set("x-amz-date", &signed.x_amz_date).set("authorization", &signed.authorization);
    match token {
        Some(token) => request.set("x-amz-security-token", token),
        None => request,
    }
}

#[test]
fn authority_is_as_good_as_host() {
    ours("host", None).check(FINE);
    ours(":authority", None).check(FINE);
    let relayed = ours(":authority", None).without(":authority").set("host", "localhost:4566");
    relayed.check(FINE);
    let over_two = ours("host", None).without("host").set(":authority", "localhost:4566");
    over_two.check(FINE);
    ours(":authority", None).set(":authority", "localhost:4567").check(MISMATCH);
}

#[test]
fn a_signer_keeps_its_key_for_one_day_only() {
    let signer = Signer::new(credentials(None), Scope { region: "eu-west-1", service: "kinesis" });
    let request = Request { method: "POST".to_owned(), path: "/".to_owned(), ..Request::default() };
    let request = request.set("host", "h");
    for now in ["20261123T153814Z", "20261123T160000Z", "20261124T000000Z"] {
        let now_ms = date::parse(now).unwrap();
        let signed = request.with_parts(|parts| signer.sign(parts, &payload_hash(b""), now_ms));
        let request = request.clone().set("x-amz-date", &signed.x_amz_date);
        request.set("authorization", &signed.authorization).check_at(
            &keyring(None, None),
            now,
            FINE,
        );
    }
}

#[test]
fn no_signature_or_half_of_one() {
    let fine = case("header");
    fine.clone()
        .without("authorization")
        .check("MissingAuthenticationTokenException: Missing Authentication Token");
    fine.clone().without("x-amz-date").set("authorization", "X").check(
        "IncompleteSignatureException: Authorization header requires 'Credential' parameter. \
         Authorization header requires 'Signature' parameter. Authorization header requires \
         'SignedHeaders' parameter. Authorization header requires existence of either a \
         'X-Amz-Date' or a 'Date' header. Authorization=X",
    );
    for blank in ["", " "] {
        let header = format!("AWS4- Signature=b,{blank}Credential=a");
        fine.clone().set("authorization", &header).check(&format!(
            "IncompleteSignatureException: Authorization header requires 'SignedHeaders' \
             parameter. Authorization={header}"
        ));
    }
    fine.clone()
        .replace("authorization", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1")
        .check("IncompleteSignatureException: Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA1'.");
    fine.clone().replace("authorization", "/aws4_request", "").check(
        "IncompleteSignatureException: Credential must have exactly 5 slash-delimited elements, \
         e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20261123/eu-west-1/kinesis'",
    );
    fine.clone()
        .set("x-amz-date", "a")
        .check("IncompleteSignatureException: Date must be in ISO-8601 'basic format'. Got 'a'.");
    let both = Request { query: "X-Amz-Algorithm".to_owned(), ..fine };
    both.check(
        "InvalidSignatureException: Found both 'X-Amz-Algorithm' as a query-string param and \
         'Authorization' as HTTP header.",
    );
}

#[test]
fn a_query_with_parts_missing() {
    let check = |query: &str, want: &str| {
        let fine = case("header").without("authorization");
        Request { query: query.to_owned(), ..fine }.check(want);
    };
    check(
        "X-Amz-Algorithm",
        "IncompleteSignatureException: AWS query-string parameters must include \
         'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Credential'. AWS \
         query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must \
         include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. \
         Re-examine the query-string parameters.",
    );
    check(
        "X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=c&X-Amz-Date=d",
        "MissingAuthenticationTokenException: Missing Authentication Token",
    );
    check(
        "X-Amz-Algorithm=b&X-Amz-Credential=a&X-Amz-Signature=b&X-Amz-SignedHeaders=c&X-Amz-Date=d",
        "IncompleteSignatureException: Unsupported AWS 'algorithm': 'b'.",
    );
}

#[test]
fn out_of_scope() {
    let fine = case("header");
    let check = |from: &str, to: &str, want: &str| {
        let want = format!("InvalidSignatureException: {want}");
        fine.clone().replace("authorization", from, to).check(&want);
    };
    check("eu-west-1", "E.U", "Credential should be scoped to a valid region, not 'E.U'.");
    check("/kinesis/", "/s3/", "Credential should be scoped to correct service: 'kinesis'.");
    check(
        "aws4_request",
        "aws5_request",
        "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'.",
    );
    check(
        "20261123",
        "20261122",
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
         HTTP: '20261122' != '20261123', from '20261123T153814Z'.",
    );
}

#[test]
fn five_minutes_either_way() {
    let (fine, keys) = (case("header"), keyring(None, None));
    fine.check_at(&keys, "20261123T154314Z", FINE);
    fine.check_at(&keys, "20261123T153314Z", FINE);
    fine.check_at(
        &keys,
        "20261123T154315Z",
        "InvalidSignatureException: Signature expired: 20261123T153814Z is now earlier than \
         20261123T153815Z (20261123T154315Z - 5 min.)",
    );
    fine.check_at(
        &keys,
        "20261123T153313Z",
        "InvalidSignatureException: Signature not yet current: 20261123T153814Z is still later \
         than 20261123T153813Z (20261123T153313Z + 5 min.)",
    );
}

#[test]
fn a_query_lives_as_long_as_it_says() {
    let (fine, keys) = (case("query"), keyring(None, None));
    fine.check_at(&keys, "20261123T163814Z", FINE);
    fine.check_at(
        &keys,
        "20261123T163815Z",
        "InvalidSignatureException: Signature expired: 20261123T163815Z is now later than \
         20261123T163814Z",
    );
    let endless =
        Request { query: fine.query.replace("Expires=3600", "Expires=604801"), ..fine.clone() };
    endless.check(
        "IncompleteSignatureException: X-Amz-Expires must be a number of seconds from 0 to 604800.",
    );
    let signed = Request { query: fine.query.replace("=3600", "=%2B60"), ..fine.clone() };
    signed.check(
        "IncompleteSignatureException: X-Amz-Expires must be a number of seconds from 0 to 604800.",
    );
    let longer = Request { query: fine.query.replace("Expires=3600", "Expires=3601"), ..fine };
    longer.check(MISMATCH);
}

#[test]
fn keys_and_tokens() {
    let fine = case("header");
    fine.clone().replace("authorization", "AKIDEXAMPLE", "AKIDNOBODY").check(UNRECOGNIZED);
    fine.check_at(&keyring(Some("t"), None), SIGNED_AT, UNRECOGNIZED);
    let temporary = case("session token");
    temporary.check_at(&keyring(None, None), SIGNED_AT, UNRECOGNIZED);
    temporary.check_at(&keyring(Some("another"), None), SIGNED_AT, UNRECOGNIZED);
    let token = Some("FwoGZXIvYXdzE==");
    temporary.check_at(&keyring(token, Some("20261123T153815Z")), SIGNED_AT, FINE);
    temporary.check_at(
        &keyring(token, Some("20261123T153814Z")),
        SIGNED_AT,
        "ExpiredTokenException: The security token included in the request is expired",
    );
    ours("host", token).check_at(&keyring(token, None), SIGNED_AT, FINE);
}

#[test]
fn what_matters_must_be_covered() {
    let fine = case("header");
    let uncovered = "must be a 'SignedHeader' in the AWS Authorization.";
    fine.clone()
        .replace("authorization", "host;", "")
        .check(&format!("InvalidSignatureException: 'Host' or ':authority' {uncovered}"));
    fine.clone()
        .replace("authorization", ";x-amz-target", "")
        .check(&format!("InvalidSignatureException: 'x-amz-target' {uncovered}"));
    case("session token")
        .replace("authorization", "x-amz-security-token;", "")
        .check(&format!("InvalidSignatureException: 'x-amz-security-token' {uncovered}"));
}

#[test]
fn wrong_signatures() {
    let fine = case("header");
    fine.clone().replace("authorization", "Signature=3b", "Signature=3c").check(MISMATCH);
    fine.clone().replace("authorization", "Signature=3b", "Signature=b").check(MISMATCH);
    fine.clone().replace("authorization", "Signature=3b", "Signature=zz").check(MISMATCH);
    let own_hash = case("own hash");
    let other = payload_hash(b"other");
    own_hash.set("x-amz-content-sha256", &other).check(MISMATCH);
}

/// Whose signature covers `STREAMING-..` covers no byte of the body.
#[test]
fn a_body_of_signed_chunks_is_refused() {
    let signed_as = |payload: &str| {
        let request =
            Request { method: "POST".to_owned(), path: "/".to_owned(), ..Request::default() };
        let request = request.set("host", "h").set("x-amz-content-sha256", payload);
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: Secret::new(SECRET),
            session_token: None,
        };
        let scope = Scope { region: "eu-west-1", service: "kinesis" };
        let now_ms = date::parse(SIGNED_AT).unwrap();
        let signed = request.with_parts(|parts| sign(parts, payload, &credentials, scope, now_ms));
        request.set("x-amz-date", SIGNED_AT).set("authorization", &signed.authorization)
    };
    let unsigned = signed_as(UNSIGNED_PAYLOAD);
    unsigned.check(FINE);
    let plain = unsigned.verify_over(&keyring(None, None), SIGNED_AT, false).unwrap_err();
    assert_eq!(plain.code, "InvalidSignatureException", "anybody could change it on its way");
    assert!(plain.message.contains("over TLS only"), "{}", plain.message);
    signed_as("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").check(MISMATCH);
}

#[test]
fn a_date_header_serves_as_well() {
    let request = Request { method: "POST".to_owned(), path: "/".to_owned(), ..Request::default() };
    let request = request.set("host", "h").set("date", "Mon, 23 Nov 2026 15:38:14 GMT");
    let scope = "20261123/eu-west-1/kinesis/aws4_request";
    let text = request.with_parts(|parts| {
        canonical::string_to_sign(parts, "date;host", &payload_hash(b""), (SIGNED_AT, scope))
    });
    let key = canonical::signing_key(SECRET, "20261123", "eu-west-1", "kinesis");
    let signature = base::hex::encode(ring::hmac::sign(&key, text.as_bytes()).as_ref());
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, SignedHeaders=date;host, \
         Signature={signature}"
    );
    request.set("authorization", &authorization).check(FINE);
    let check = |date: &str, want: &str| {
        let fine = case("header").without("x-amz-date").set("date", date);
        fine.replace("authorization", "host;x-amz-date;", "host;").check(want);
    };
    // The signature was made over `x-amz-date`: the date is read, the signature cannot match.
    check("Mon, 23 Nov 2026 15:38:14 GMT", MISMATCH);
    check(
        "Mon, 23 Nov 2026 15:48:14 GMT",
        "InvalidSignatureException: Signature not yet current: 20261123T154814Z is still later \
         than 20261123T154314Z (20261123T153814Z + 5 min.)",
    );
}

proptest::proptest! {
    /// Whatever stands in a request, it is judged and not a panic; nothing made up verifies.
    #[test]
    fn nonsense_is_judged(
        header in proptest::option::of(
            "(AWS4-HMAC-SHA256 )?(Credential=|Signature=|[ ,=/;é%a-z0-9]){0,20}"
        ),
        query in "(X-Amz-[A-Z][a-z]{1,9}=|[&=%é+/a-zA-Z0-9]){0,30}",
        path in "[/.%é a-z]{0,20}",
        date in "[0-9TZ:, a-zé-]{0,30}",
    ) {
        let request = Request { method: "POST".to_owned(), path, query, ..Request::default() };
        let request = request.set("x-amz-date", &date);
        let request = match &header {
            Some(header) => request.set("authorization", header),
            None => request,
        };
        proptest::prop_assert!(request.verify_at(&keyring(None, None), SIGNED_AT).is_err());
        let _ = request.with_parts(|parts| canonical::request(parts, &date, "x"));
    }
}

#[test]
fn secrets_are_not_printed() {
    let text = format!("{:?} {:?}", credentials(Some("TOKEN")), keyring(Some("TOKEN"), None));
    assert!(!text.contains(SECRET) && !text.contains("TOKEN"), "{text}");
}
