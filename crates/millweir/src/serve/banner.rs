//! What people see when the server starts: where, how safe, and what to type next.

use super::services::SERVED;
use crate::config::options::Options;
use crate::config::units::bytes_round;
use base::Env;
use server::{AuthMode, Server};
use std::net::{IpAddr, SocketAddr};
use store::local::Durability;
use streams::Limits;

/// The API model that is served.
pub(super) const API_MODEL: &str = "botocore 1.44.5";

/// Labels of `millweir_build_info`. Whoever builds packages sets `MILLWEIR_COMMIT` for the
/// compiler.
pub(super) const BUILD: [(&str, &str); 4] = [
    ("version", env!("CARGO_PKG_VERSION")),
    (
        "commit",
        match option_env!("MILLWEIR_COMMIT") {
            Some(commit) => commit,
            None => "unknown",
        },
    ),
    ("api_date", "2013-12-02"),
    ("model", API_MODEL),
];

/// The banner, some fifteen lines.
pub(super) fn text(options: &Options, server: &Server, env: &Env) -> String {
    let address = reachable(server.local_addr());
    let url = format!("{}://{address}", scheme(options));
    let mut lines = vec![
        format!("millweir {}   Kinesis API of {API_MODEL}", env!("CARGO_PKG_VERSION")),
        format!("  config    {}", config(options)),
        format!("  data      {}", data(options, env)),
        format!("  limits    {}   auth {}", limits(options), auth(options)),
        format!("  API       {}", urls(options, &address.to_string())),
    ];
    let ca_file = ca_file(options);
    if server.ca_pem().is_some() {
        let place = ca_file.as_deref().unwrap_or("made anew at each start (memory)");
        lines.push(format!("  CA        {place}"));
    }
    lines.push(format!("  region    {}   account {}", options.region, options.server.account));
    lines.push(String::new());
    lines.extend(SERVED.iter().map(|s| format!("  export {}={url}", s.endpoint_variable())));
    if let (true, Some(path)) = (options.server.tls_only, &ca_file) {
        lines.push(format!("  export AWS_CA_BUNDLE={}", shell_word(path)));
    }
    // boto3 and the first version of the `aws` command read the second name only.
    lines.push(format!("  export AWS_REGION={0} AWS_DEFAULT_REGION={0}", options.region));
    lines.push(format!("  export {}", credentials(options)));
    lines.push(String::new());
    lines.push("  millweir stream create clicks --shards 2".into());
    lines.push("  millweir put clicks 'hello'".into());
    lines.push("  millweir tail clicks --from trim_horizon".into());
    lines.extend(warnings(options).into_iter().map(|warning| format!("  ! {warning}")));
    lines.join("\n")
}

/// What clients should use first.
pub(super) fn scheme(options: &Options) -> &'static str {
    if options.server.tls_only { "https" } else { "http" }
}

/// Where others find this server: as it is told, or by the first name that it is told it has, else
/// by its address.
pub(super) fn base_url(options: &Options, address: SocketAddr) -> String {
    if let Some(url) = &options.public_url {
        return url.clone();
    }
    let address = reachable(address);
    let host = match options.server.host_names.first() {
        Some(name) => format!("{name}:{}", address.port()),
        None => address.to_string(),
    };
    format!("{}://{host}", scheme(options))
}

/// An address that clients on this machine can use.
fn reachable(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => ([127, 0, 0, 1], address.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, address.port()).into()
        }
        _ => address,
    }
}

/// Named, as a file of the directory that the server happens to be started in counts, too.
fn config(options: &Options) -> String {
    let Some(path) = &options.file else { return "no file".into() };
    std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
}

fn data(options: &Options, env: &Env) -> String {
    if options.memory {
        let most = bytes_round(options.memory_engine.bytes_max as u64);
        return format!("in memory, at most {most}   durability none");
    }
    let durability = match options.storage.durability {
        Durability::Always => "fsync before every acknowledgement",
        Durability::Relaxed => "relaxed",
    };
    let path = std::path::absolute(&options.data).unwrap_or_else(|_| options.data.clone());
    let free = env.disk.space(&options.data).map_or_else(
        |_| String::new(),
        |space| format!(" ({} free)", bytes_round(space.free_bytes)),
    );
    format!("{}{free}   durability {durability}", path.display())
}

fn limits(options: &Options) -> &'static str {
    match options.streams.limits {
        Limits::Aws => "aws (per shard, as AWS enforces them)",
        Limits::Hardware => "hardware (no per-shard rates)",
    }
}

fn auth(options: &Options) -> String {
    match options.server.auth {
        AuthMode::Any => "any (signatures are not verified)".into(),
        AuthMode::Required => format!("required ({} access keys)", options.access_keys.len()),
    }
}

fn urls(options: &Options, address: &str) -> String {
    if options.server.tls_only {
        format!("https://{address}")
    } else {
        format!("http://{address}  https://{address}")
    }
}

/// The certificate of our own authority, when it is one and has a file.
fn ca_file(options: &Options) -> Option<String> {
    if options.memory || options.tls.files.is_some() {
        return None;
    }
    let path = options.data.join(super::TLS_DIR).join("ca.pem");
    Some(std::path::absolute(&path).unwrap_or(path).display().to_string())
}

/// A text as a shell takes it for one word; quoted only where it must be.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%".contains(c);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn credentials(options: &Options) -> String {
    match options.access_keys.first() {
        Some(key) => format!("AWS_ACCESS_KEY_ID={} AWS_SECRET_ACCESS_KEY=...", key.id),
        None => "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test".into(),
    }
}

fn warnings(options: &Options) -> Vec<String> {
    let mut warnings = Vec::new();
    if options.memory {
        warnings.push("memory mode: everything is gone when the process ends".into());
    } else if options.storage.durability == Durability::Relaxed {
        warnings.push(
            "durability relaxed: a power cut may lose what was acknowledged in the last 100 ms"
                .into(),
        );
    }
    if !options.server.listen.ip().is_loopback() {
        if options.server.auth == AuthMode::Any {
            warnings
                .push("other machines can reach this port and signatures are not verified".into());
        }
        let own_certificate = options.tls.files.is_none();
        if options.server.listen.ip().is_unspecified()
            && own_certificate
            && options.tls.names.is_empty()
        {
            warnings.push(
                "for TLS, other machines need a name or address of this one in `tls.names`".into(),
            );
        }
        if options.server.listen.ip().is_unspecified()
            && options.public_url.is_none()
            && options.server.host_names.is_empty()
        {
            let text =
                "what topics of SNS send names this machine as 127.0.0.1: set `server.public_url`";
            warnings.push(text.into());
        }
        if !options.server.tls_only {
            warnings
                .push("other machines can reach this port and plain connections are taken".into());
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{Settings, Sources};

    fn warnings_of(file: &str) -> Vec<String> {
        let file = format!("allow_insecure = true\n{file}");
        let sources = Sources { file: Some(("m.toml".into(), file)), ..Sources::default() };
        let settings = Settings::merge(sources).unwrap();
        warnings(
            &Options::read(&settings, |_: &_, _| Err(std::io::ErrorKind::NotFound.into())).unwrap(),
        )
    }

    #[test]
    fn all_addresses_need_names() {
        let check = |file: &str, want: bool| {
            let warnings = warnings_of(file);
            assert_eq!(warnings.iter().any(|w| w.contains("`tls.names`")), want, "{warnings:?}");
        };
        check("listen = '0.0.0.0:1'", true);
        check("listen = '[::]:1'", true);
        check("listen = '192.0.2.2:1'", false);
        check("listen = '0.0.0.0:1'\n[tls]\nnames = ['a.test']", false);
    }

    #[test]
    fn words_of_the_shell() {
        assert_eq!(shell_word("/var/lib/mill-weir_1/ca.pem"), "/var/lib/mill-weir_1/ca.pem");
        assert_eq!(shell_word("/it's here"), r"'/it'\''s here'");
    }
}
