//! `axonml help`: the help of commands, and topics.

use axonml::table::names;
use clap::CommandFactory;

use crate::args::{Cli, HelpArgs};
use crate::error::CliError;
use crate::report::print;
use crate::topics::TOPICS;

/// Prints the help of a command, a topic, or the list of both.
pub(crate) fn help(args: &HelpArgs) -> Result<(), CliError> {
    print(&text(&args.subject)?)
}

/// The text about a subject.
fn text(subject: &[String]) -> Result<String, CliError> {
    let mut command = Cli::command();
    // Gives subcommands their full names and the flags that all commands have.
    command.build();
    if let [only] = subject
        && let Some(topic) = TOPICS
            .iter()
            .find(|topic| topic.name == names::canonical(only))
    {
        return Ok((topic.text)());
    }
    let mut command = &mut command;
    for (index, word) in subject.iter().enumerate() {
        let unknown = unknown(command, word, index > 0);
        command = command
            .find_subcommand_mut(names::canonical(word))
            .ok_or(unknown)?;
    }
    Ok(command.render_help().to_string())
}

/// The error for a word that names nothing below `command`.
fn unknown(command: &clap::Command, word: &str, inside: bool) -> CliError {
    let commands: Vec<&str> = command.get_subcommands().map(|c| c.get_name()).collect();
    let topics: Vec<&str> = TOPICS
        .iter()
        .filter(|_| !inside)
        .map(|topic| topic.name)
        .collect();
    let nearest = names::nearest(word, commands.iter().chain(&topics).copied())
        .map(|nearest| format!("; did you mean `{nearest}`?"))
        .unwrap_or_default();
    if inside && commands.is_empty() {
        return CliError::request(format!(
            "`{word}`: found a word after a command that has no commands of its own"
        ))
        .help(format!("`axonml help {}` alone", command.get_name()));
    }
    let (what, lists) = match inside {
        false => (
            "no command and no topic".to_owned(),
            format!(
                "commands: {}; topics: {}",
                commands.join(", "),
                topics.join(", ")
            ),
        ),
        true => (
            format!("no command of `{}`", command.get_name()),
            format!("commands: {}", commands.join(", ")),
        ),
    };
    CliError::request(format!("`{word}` is {what}{nearest}")).help(lists)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of two screens.
    const MOST_LINES: usize = 100;

    #[test]
    fn the_help_of_every_command_fits_two_screens() {
        fn check(command: &mut clap::Command, path: &str) {
            let help = command.render_help().to_string();
            let lines = help.lines().count();
            assert!(lines <= MOST_LINES, "{path}: {lines} lines\n{help}");
            for line in help.lines() {
                assert!(line.chars().count() <= 100, "{path}: {line}");
            }
            for sub in command.get_subcommands_mut() {
                let path = format!("{path} {}", sub.get_name());
                check(sub, &path);
            }
        }
        let mut command = Cli::command().term_width(100);
        command.build();
        check(&mut command, "axonml");
    }
}
