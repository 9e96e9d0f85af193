//! What `serve` takes. Each flag is an option of the configuration by another way.

use crate::config::settings::Flag;
use clap::Args;
use std::path::PathBuf;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file; else ./millweir.toml, the user's, or /etc/millweir/millweir.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Address and port of the API; port 0 picks one [default: 127.0.0.1:4566]
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<String>,
    /// Directory that holds everything [default: ./millweir-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<String>,
    /// Keep everything in memory; gone when the process ends
    #[arg(long)]
    pub(crate) memory: bool,
    /// Per-shard rates: AWS's, or whatever the machine gives [default: aws]
    #[arg(long, value_name = "aws|hardware")]
    pub(crate) limits: Option<String>,
    /// `any`: a signature must be there; `required`: it must be right [default: any]
    #[arg(long, value_name = "any|required")]
    pub(crate) auth: Option<String>,
    /// `optional`: plain and TLS on one port; `required`: TLS only [default: optional]
    #[arg(long, value_name = "optional|required")]
    pub(crate) tls: Option<String>,
    /// Listen off loopback without authentication or TLS
    #[arg(long)]
    pub(crate) allow_insecure: bool,
    /// error, warn, info, debug, trace of our lines, or a filter as RUST_LOG has it [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

impl ServeArgs {
    /// The flags given, as settings.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let given = |name, flag, text: &Option<String>| Some((name, flag, text.clone()?));
        let set = |name, flag, on: bool| on.then(|| (name, flag, "true".to_owned()));
        let all = [
            given("listen", "listen", &self.listen),
            given("data", "data", &self.data),
            set("memory", "memory", self.memory),
            given("limits", "limits", &self.limits),
            given("auth", "auth", &self.auth),
            given("tls.mode", "tls", &self.tls),
            set("allow_insecure", "allow-insecure", self.allow_insecure),
            given("log.level", "log-level", &self.log_level),
        ];
        all.into_iter().flatten().collect()
    }
}
