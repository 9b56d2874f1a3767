//! Single keys of a study, set by text.

use toml::{Table, Value};

use super::Study;
use super::text::explain;
use crate::study::StudyError;

impl Study {
    /// The study with one more key: `TABLE.KEY=VALUE`, the value as TOML has it; words need no quotation marks.
    ///
    /// # Errors
    /// [`StudyError`] for text that sets no key, and for an unknown key with the nearest valid one.
    ///
    /// # Example
    /// ```
    /// use axonml::study::{DescentRule, Study};
    ///
    /// let study = Study::default().with_option("gd.rule=ranger")?;
    /// assert_eq!(study.gd.rule, Some(DescentRule::Ranger));
    /// let wrong = Study::default().with_option("gd.rul=ranger").unwrap_err();
    /// assert!(wrong.to_string().contains("did you mean `rule`?"));
    /// # Ok::<(), axonml::study::StudyError>(())
    /// ```
    pub fn with_option(&self, text: &str) -> Result<Self, StudyError> {
        let wrong = || {
            StudyError::request(format!(
                "found `{text}`, expected a table, a key and its value"
            ))
            .help("give TABLE.KEY=VALUE, such as gd.lr=0.1 or de.init=rlhs")
        };
        let (path, value) = text.split_once('=').ok_or_else(wrong)?;
        let path: Vec<&str> = path.split('.').map(str::trim).collect();
        let Some((key, tables)) = path.split_last().filter(|(_, tables)| !tables.is_empty()) else {
            return Err(wrong());
        };
        if path.iter().any(|part| part.is_empty()) || value.trim().is_empty() {
            return Err(wrong());
        }
        let mut study = Table::try_from(self).map_err(StudyError::failure)?;
        let mut place = &mut study;
        for table in tables {
            let inner = place
                .entry(*table)
                .or_insert_with(|| Value::Table(Table::new()));
            place = inner.as_table_mut().ok_or_else(|| {
                StudyError::request(format!("found `{text}`, but {table} is no single table"))
                    .help("set keys of lists of tables in a study file")
            })?;
        }
        place.insert((*key).to_owned(), value_of(value));
        study.try_into().map_err(|error: toml::de::Error| {
            explain(error.message().trim(), text, None)
                .or_help("`axonml optimize gd --print-study` shows tables and keys")
                .at(text)
        })
    }
}

/// A value as TOML has it, or a word.
fn value_of(text: &str) -> Value {
    let table: Option<Table> = format!("value = {text}").parse().ok();
    table
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_set_keys_of_tables() {
        let mut study = Study::default();
        for option in [
            "gd.lr=0.1",
            "gd.softness=[0.3, 0.03]",
            "de.adaptation=jade:c=0.2",
            "limits.frozen_mA.3=-0.1",
            "fibers.warmup_ms = 5",
            "limits.sum_zero=true",
            "stimulus.waveform=\"sine:freq=4\"",
        ] {
            study = study.with_option(option).unwrap();
        }
        let expected = Study::from_toml(
            "[fibers]\nwarmup_ms = 5\n[gd]\nlr = 0.1\nsoftness = [0.3, 0.03]\n[de]\nadaptation = \"jade:c=0.2\"\n\
             [stimulus]\nwaveform = \"sine:freq=4\"\n[limits]\nsum_zero = true\nfrozen_mA = { 3 = -0.1 }\n\
             [protocol]\nkind = \"threshold\"\n",
        );
        assert_eq!(study, expected.unwrap());
        for (wrong, part) in [
            ("gd.lr", "expected a table, a key and its value"),
            ("lr=3", "expected a table, a key and its value"),
            ("gd.=3", "expected a table, a key and its value"),
            ("gdd.lr=3", "unknown key `gdd` (did you mean `gd`?)"),
            ("gd.rl=adam", "unknown key `rl`"),
            ("gd.rule=adm", "did you mean `adam`"),
            ("gd.steps=many", "gd.steps=many: invalid type"),
        ] {
            let message = Study::default().with_option(wrong).unwrap_err().message();
            assert!(message.contains(part), "{wrong}: {message}");
        }
    }
}
