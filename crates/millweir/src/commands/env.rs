//! `env`: the exports that point AWS clients to a server.

use crate::cli::{EnvArgs, Shell};
use crate::output;
use crate::serve::services::SERVED;
use anyhow::{Context as _, Result};

pub(super) fn run(args: &EnvArgs) -> Result<()> {
    let target = args.client.target(|name| std::env::var(name).ok());
    let shell = args.shell.unwrap_or_else(|| of(std::env::var("SHELL").ok().as_deref()));
    let mut variables: Vec<(String, String)> = SERVED
        .iter()
        .map(|service| (service.endpoint_variable(), target.endpoint.clone()))
        .collect();
    let mut add = |name: &str, text: String| variables.push((name.to_owned(), text));
    add("AWS_REGION", target.region.clone());
    add("AWS_DEFAULT_REGION", target.region);
    add("AWS_ACCESS_KEY_ID", target.access_key_id);
    add("AWS_SECRET_ACCESS_KEY", target.secret_access_key.reveal().to_owned());
    if let Some(token) = target.session_token {
        add("AWS_SESSION_TOKEN", token.reveal().to_owned());
    }
    if let Some(path) = target.ca_file {
        // The shell may go elsewhere, and its clients with it.
        let path = std::path::absolute(&path)
            .with_context(|| format!("cannot find where `{}` lies", path.display()))?;
        add("AWS_CA_BUNDLE", path.display().to_string());
    }
    let lines: Vec<_> = variables.iter().map(|(name, text)| export(shell, name, text)).collect();
    output::line(&lines.join("\n"))?;
    Ok(())
}

fn of(shell: Option<&str>) -> Shell {
    match shell.and_then(|path| path.rsplit('/').next()) {
        Some("fish") => Shell::Fish,
        Some("pwsh" | "powershell") => Shell::Powershell,
        _ => Shell::Bash,
    }
}

fn export(shell: Shell, name: &str, text: &str) -> String {
    match shell {
        Shell::Bash => format!("export {name}='{}'", text.replace('\'', r"'\''")),
        Shell::Fish => {
            let quoted = text.replace('\\', r"\\").replace('\'', r"\'");
            format!("set -gx {name} '{quoted}'")
        }
        Shell::Powershell => format!("$env:{name} = '{}'", text.replace('\'', "''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_per_shell() {
        assert_eq!(export(Shell::Bash, "A", "it's"), r"export A='it'\''s'");
        assert_eq!(export(Shell::Fish, "A", r"it's \"), r"set -gx A 'it\'s \\'");
        assert_eq!(export(Shell::Powershell, "A", "it's"), "$env:A = 'it''s'");
    }

    #[test]
    fn the_shell_is_found() {
        assert_eq!(of(Some("/usr/bin/fish")), Shell::Fish);
        assert_eq!(of(Some("/bin/zsh")), Shell::Bash);
        assert_eq!(of(None), Shell::Bash);
    }
}
