//! What every command that talks to a server takes.
//!
//! Keys come from the environment only: a command line is seen by everybody on the machine.

use clap::Args;
use std::path::PathBuf;

/// Where the API is when nobody says so.
const ENDPOINT: &str = "http://127.0.0.1:4566";

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ClientArgs {
    /// Address of the server; also from AWS_ENDPOINT_URL_KINESIS or AWS_ENDPOINT_URL
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Region; also from AWS_REGION or AWS_DEFAULT_REGION
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// Certificate (PEM) that an https endpoint chains to; also from AWS_CA_BUNDLE
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Talk CBOR instead of JSON
    #[arg(long)]
    pub(crate) cbor: bool,
}

/// The arguments with the environment behind them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: client::Secret,
    pub(crate) session_token: Option<client::Secret>,
}

impl ClientArgs {
    /// Fills the gaps from AWS's variables, then from our defaults. `env`: looks a variable up.
    pub(crate) fn target(&self, env: impl Fn(&str) -> Option<String>) -> Target {
        let first = |names: &[&str]| {
            names.iter().find_map(|name| env(name).filter(|text| !text.is_empty()))
        };
        let endpoint = || first(&["AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL"]);
        let region = || first(&["AWS_REGION", "AWS_DEFAULT_REGION"]);
        let ca_file = || first(&["AWS_CA_BUNDLE"]).map(PathBuf::from);
        let id = first(&["AWS_ACCESS_KEY_ID"]);
        // Why the token goes with the id only: one left in the environment would refuse `test`.
        let session_token = id.as_ref().and_then(|_| first(&["AWS_SESSION_TOKEN"]));
        Target {
            endpoint: self.endpoint.clone().or_else(endpoint).unwrap_or(ENDPOINT.into()),
            region: self.region.clone().or_else(region).unwrap_or("us-east-1".into()),
            ca_file: self.ca_file.clone().or_else(ca_file),
            access_key_id: id.unwrap_or("test".into()),
            secret_access_key: client::Secret::new(
                first(&["AWS_SECRET_ACCESS_KEY"]).unwrap_or("test".into()),
            ),
            session_token: session_token.map(client::Secret::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_beat_the_environment_and_the_special_variable_the_general_one() {
        let env = |name: &str| {
            let text = match name {
                "AWS_ENDPOINT_URL" => "http://general",
                "AWS_ENDPOINT_URL_KINESIS" => "http://special",
                "AWS_DEFAULT_REGION" => "eu-west-1",
                "AWS_REGION" => "",
                "AWS_SESSION_TOKEN" => "left over",
                _ => return None,
            };
            Some(text.to_owned())
        };
        let mut args = ClientArgs { endpoint: None, region: None, ca_file: None, cbor: false };
        let target = args.target(env);
        assert_eq!(
            (target.endpoint.as_str(), target.region.as_str()),
            ("http://special", "eu-west-1")
        );
        assert_eq!((target.access_key_id.as_str(), target.session_token), ("test", None));
        args.endpoint = Some("http://flag".into());
        assert_eq!(args.target(env).endpoint, "http://flag");
        assert_eq!(args.target(|_| None).region, "us-east-1");
    }
}
