//! An address as users write it.

use crate::Trouble;
use http::Uri;

/// Longest address, in bytes.
const URL_BYTES_MAX: usize = 2048;

/// Where a post goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) is_tls: bool,
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// As it was written, for the `host` header.
    pub(crate) authority: String,
    pub(crate) path_and_query: String,
}

impl Target {
    /// Reads an address.
    ///
    /// # Errors
    /// `Refused` it is none, is of another scheme, or holds a user, a password or a fragment.
    pub(crate) fn parse(url: &str) -> Result<Self, Trouble> {
        if url.len() > URL_BYTES_MAX {
            return Err(Trouble::refused(format!("an address has at most {URL_BYTES_MAX} bytes")));
        }
        if url.contains('#') {
            return Err(Trouble::refused("an address to post to has no fragment"));
        }
        let uri: Uri = url.parse().map_err(|_| Trouble::refused("this is no address"))?;
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(Trouble::refused("an address begins with `http://` or `https://`")),
        };
        let Some(authority) = uri.authority().filter(|authority| !authority.host().is_empty())
        else {
            return Err(Trouble::refused("the address names no host"));
        };
        if authority.as_str().contains('@') {
            // Not repeated: what stands before the `@` is a secret.
            return Err(Trouble::refused("an address must hold no user and no password"));
        }
        let port = match authority.port_u16() {
            Some(port) if port > 0 => port,
            // A port that is no number counts as none there.
            None if authority.as_str() == authority.host() => {
                if is_tls {
                    443
                } else {
                    80
                }
            }
            _ => return Err(Trouble::refused("the port must be a number up to 65535")),
        };
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let authority = authority.clone();
        let host = host_of(authority.host())?;
        Ok(Self { is_tls, host, port, authority: authority.to_string(), path_and_query })
    }
}

fn host_of(written: &str) -> Result<String, Trouble> {
    let wrong = || Trouble::refused("the address names no host that can be");
    if let Some(address) = written.strip_prefix('[') {
        let address = address.strip_suffix(']').ok_or_else(wrong)?;
        let address: std::net::Ipv6Addr = address.parse().map_err(|_| wrong())?;
        return Ok(address.to_string());
    }
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    if written.bytes().all(is_part) { Ok(written.to_ascii_lowercase()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (url, host, port, path) in [
            ("http://a.example", "a.example", 80, "/"),
            ("https://A.example/b?c=d", "a.example", 443, "/b?c=d"),
            ("http://127.0.0.1:8080/x", "127.0.0.1", 8080, "/x"),
            ("http://[::1]:8080/", "::1", 8080, "/"),
            ("http://[::ffff:7f00:1]", "::ffff:127.0.0.1", 80, "/"),
            ("http://2130706433/", "2130706433", 80, "/"),
        ] {
            let target = Target::parse(url).unwrap();
            let got = (target.host.as_str(), target.port, target.path_and_query.as_str());
            assert_eq!(got, (host, port, path), "{url}");
            assert_eq!(target.is_tls, url.starts_with("https"));
        }
    }

    #[test]
    fn what_is_none() {
        let long = format!("http://a/{}", "x".repeat(URL_BYTES_MAX));
        for url in [
            "",
            "a",
            "/a",
            "a.example",
            "ftp://a",
            "file:///etc/passwd",
            "gopher://a",
            "http://",
            "http:///a",
            "http://u@a",
            "http://u:p@a/",
            "http://a#b",
            "http://a:b/",
            "http://a:0/",
            "http://a:65536/",
            "http://a b/",
            "http://a/\r\nx: y",
            "http://[::1",
            "http://[a]/",
            "http://[fe80::1%25eth0]/",
            "http://é/",
            "http://a%00/",
            "javascript:x",
            long.as_str(),
        ] {
            assert!(Target::parse(url).is_err(), "{url}");
        }
        let told = Target::parse("http://user:secret@a/").unwrap_err().to_string();
        assert!(!told.contains("secret"));
    }
}
