//! Texts of `axonml help TOPIC`: what several commands share, and what is too long for their `--help`.
//!
//! Lists come from the tables that the program itself reads (pulses, columns, statuses, models), so that no text can
//! name what does not exist.

mod columns;
mod layout;
mod prose;
mod pulses;
mod statuses;
mod units;

/// A text of `axonml help`.
pub(crate) struct Topic {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// Its content in a few words.
    pub(crate) summary: &'static str,
    /// The text, in lines of at most [`layout::WIDTH`] characters.
    pub(crate) text: fn() -> String,
}

/// All topics, those that most people look for first.
pub(crate) static TOPICS: &[Topic] = &[
    Topic {
        name: "pulses",
        summary: "waveforms of --pulse and of tables: names, keys, units, defaults",
        text: pulses::text,
    },
    Topic {
        name: "columns",
        summary: "columns of tables of conditions and of results",
        text: columns::text,
    },
    Topic {
        name: "nerve-folders",
        summary: "the files of a nerve: fields of contacts, weights, geometry",
        text: || prose::NERVE_FOLDERS.to_owned(),
    },
    Topic {
        name: "units",
        summary: "units and signs, and where each of them is used",
        text: units::text,
    },
    Topic {
        name: "statuses",
        summary: "how searches and runs end, and which columns are empty then",
        text: statuses::text,
    },
    Topic {
        name: "exit-codes",
        summary: "what the exit code says",
        text: || prose::EXIT_CODES.to_owned(),
    },
    Topic {
        name: "fibers",
        summary: "lengths, durations and initial states that follow from the model and the field",
        text: || prose::FIBERS.to_owned(),
    },
    Topic {
        name: "fields",
        summary: "point electrodes, nerves, potentials of other tools, injected currents",
        text: || prose::FIELDS.to_owned(),
    },
    Topic {
        name: "search",
        summary: "how thresholds are searched, what counts as an action potential",
        text: || prose::SEARCH.to_owned(),
    },
    Topic {
        name: "files",
        summary: "what -o writes, and what is left after an interruption",
        text: || prose::FILES.to_owned(),
    },
    Topic {
        name: "traces",
        summary: "the archives that `axonml evaluate --traces` reads, and what is compared",
        text: || prose::TRACES.to_owned(),
    },
    Topic {
        name: "recipes",
        summary: "the files that describe training sets",
        text: || prose::RECIPES.to_owned(),
    },
];

/// The list of topics, as it stands at the end of `axonml --help`.
pub(crate) fn list() -> String {
    let rows = TOPICS.iter().map(|topic| (topic.name, topic.summary));
    let mut text = "Topics (axonml help TOPIC):\n".to_owned();
    layout::rows(&mut text, 2, 15, rows);
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_names_of_their_own_and_fit_the_width() {
        for (index, topic) in TOPICS.iter().enumerate() {
            assert!(TOPICS[..index].iter().all(|t| t.name != topic.name));
            let text = (topic.text)();
            assert!(
                text.ends_with('\n') && !text.ends_with("\n\n"),
                "{}",
                topic.name
            );
            for line in text.lines() {
                assert!(
                    line.chars().count() <= layout::WIDTH,
                    "{}: {line}",
                    topic.name
                );
                assert!(line == line.trim_end(), "{}: {line}", topic.name);
            }
        }
    }
}
