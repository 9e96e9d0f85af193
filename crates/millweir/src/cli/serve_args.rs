//! What `serve` takes. Each flag is an option of the configuration by another way, made from it.

use crate::config::keys::{KEYS, Key};
use crate::config::kinds::Kind;
use crate::config::settings::Flag;
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
fn flagged() -> impl Iterator<Item = (&'static Key, &'static str, &'static str)> {
    KEYS.iter().filter_map(|key| key.flag.map(|(flag, value)| (key, flag, value)))
}

fn arg((key, flag, value): (&'static Key, &'static str, &'static str)) -> Arg {
    let help = key.help.trim_end_matches('.');
    let arg = Arg::new(flag).long(flag);
    if key.kind == Kind::Switch {
        return arg.action(ArgAction::SetTrue).help(help);
    }
    arg.value_name(value).help(format!("{help} [default: {}]", (key.default)()))
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
        let given = |(key, flag, _): (&'static Key, _, _)| {
            if key.kind == Kind::Switch {
                let text = matches.get_flag(flag).then(|| "true".to_owned())?;
                return Some((key.name, flag, text));
            }
            Some((key.name, flag, matches.get_one::<String>(flag)?.clone()))
        };
        let flags = flagged().filter_map(given).collect();
        Ok(Self { flags, config: ConfigArgs::from_arg_matches(matches)? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
