//! `overstay completions` and `overstay man`: generated from the same definitions as the parser.

use super::args::Cli;
use super::exit::{CommandResult, Outcome};
use anyhow::Context as _;
use clap::CommandFactory as _;

/// Prints completions for a shell.
pub(super) fn shell(shell: clap_complete::Shell) -> CommandResult {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "overstay", &mut text);
    super::print(&text)?;
    Ok(Outcome::Done)
}

/// Prints the manual page, every command included.
pub(super) fn man() -> CommandResult {
    let mut text = Vec::new();
    let command = Cli::command();
    clap_mangen::Man::new(command.clone())
        .render(&mut text)
        .context("rendering the manual page")?;
    for sub in command
        .get_subcommands()
        .filter(|sub| sub.get_name() != "help")
    {
        let name = format!("overstay {}", sub.get_name());
        let sub = sub.clone().display_name(name.clone()).bin_name(name);
        let page = clap_mangen::Man::new(sub);
        page.render_synopsis_section(&mut text)
            .context("rendering the manual page")?;
        page.render_description_section(&mut text)
            .context("rendering the manual page")?;
        page.render_options_section(&mut text)
            .context("rendering the manual page")?;
    }
    super::print(&text)?;
    Ok(Outcome::Done)
}
