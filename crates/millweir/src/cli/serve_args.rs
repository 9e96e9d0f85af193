//! What `serve` takes. Each flag is an option of the configuration by another way, made from it.

use crate::config::kinds::Kind;
use crate::config::settings::Flag;
use crate::config::table::{Entry, OPTIONS};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use std::path::PathBuf;

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct ConfigArgs {
    /// Configuration file; else ./millweir.toml, the user's, or /etc/millweir/millweir.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ServeArgs {
    flags: Vec<Flag>,
    pub(crate) config: ConfigArgs,
}

impl ServeArgs {
    /// The flags given, as settings.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        self.flags.clone()
    }
}

/// The options that have a flag, with it and the word for its value.
fn flagged() -> impl Iterator<Item = (&'static Entry, &'static str, &'static str)> {
    OPTIONS.iter().filter_map(|entry| entry.flag.map(|(flag, value)| (entry, flag, value)))
}

fn arg((entry, flag, value): (&'static Entry, &'static str, &'static str)) -> Arg {
    let help = entry.help.trim_end_matches('.');
    let arg = Arg::new(flag).long(flag);
    if matches!(entry.kind, Kind::Switch(_)) {
        return arg.action(ArgAction::SetTrue).help(help);
    }
    arg.value_name(value).help(format!("{help} [default: {}]", entry.kind.default_text()))
}

impl Args for ServeArgs {
    fn augment_args(command: Command) -> Command {
        ConfigArgs::augment_args(flagged().map(arg).fold(command, Command::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ServeArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |(entry, flag, _): (&'static Entry, _, _)| {
            if matches!(entry.kind, Kind::Switch(_)) {
                let text = matches.get_flag(flag).then(|| "true".to_owned())?;
                return Some((entry.name, flag, text));
            }
            Some((entry.name, flag, matches.get_one::<String>(flag)?.clone()))
        };
        let flags = flagged().filter_map(given).collect();
        Ok(Self { flags, config: ConfigArgs::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
