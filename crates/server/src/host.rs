//! The name in `Host` and `:authority`.

use std::net::Ipv6Addr;

/// What begins a `Host` that is a whole URL: LocalStack's own client sends one, to AWS as well.
const SCHEMES: [&str; 2] = ["http://", "https://"];

/// The name of `name`, `name:port` or `[::1]:port`, or of one of them behind a scheme; nothing when
/// it is none of them. The name may be empty.
pub(crate) fn name_of(host: &str) -> Option<&str> {
    let host = SCHEMES.iter().find_map(|scheme| behind(host, scheme)).unwrap_or(host);
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']')?;
            name.parse::<Ipv6Addr>().ok()?;
            (name, port)
        }
        None => {
            let (name, port) =
                host.split_at(host.bytes().position(|b| b == b':').unwrap_or(host.len()));
            (Some(name).filter(|name| name.bytes().all(|b| OF_NAME[usize::from(b)]))?, port)
        }
    };
    let digits = port.strip_prefix(':').unwrap_or("");
    let is_port = digits.len() <= 5 && digits.bytes().all(|b| b.is_ascii_digit());
    (port.is_empty() || port.starts_with(':') && is_port).then_some(name)
}

fn behind<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

/// What a registered name has by RFC 3986, by its byte.
const OF_NAME: [bool; 256] = {
    let (mut of_name, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        of_name[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut marks: &[u8] = b"-._~!$&'()*+,;=%";
    while let [mark, rest @ ..] = marks {
        of_name[*mark as usize] = true;
        marks = rest;
    }
    of_name
};

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_of_hosts() {
        for (host, want) in [
            ("localhost:4566", Some("localhost")),
            ("localhost", Some("localhost")),
            ("my_service:1", Some("my_service")),
            ("[::1]:80", Some("::1")),
            ("[::1]", Some("::1")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("localhost:", Some("localhost")),
            ("", Some("")),
            ("http://localhost:4566", Some("localhost")),
            ("HTTPS://[::1]:4566", Some("::1")),
            ("http://", Some("")),
            ("[::1]evil.example", None),
            ("[::1].evil.example:80", None),
            ("[evil.example]", None),
            ("[::1", None),
            ("::1", None),
            ("a:b", None),
            ("a:1:2", None),
            ("a:123456", None),
            ("evil.example@127.0.0.1", None),
            ("a b", None),
            ("a/b", None),
            ("http://localhost/", None),
            ("http://http://localhost", None),
            ("ftp://localhost", None),
        ] {
            assert_eq!(name_of(host), want, "{host}");
        }
    }
}
