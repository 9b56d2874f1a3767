use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn cells(text: &str) -> (Separator, Vec<Vec<String>>) {
    let table = DelimitedText::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    let rows = table.records();
    let rows = rows
        .map(|record| record.cells().map(str::to_owned).collect())
        .collect();
    (table.separator(), rows)
}

fn error(text: &str) -> String {
    DelimitedText::parse(text).unwrap_err().to_string()
}

#[test]
fn every_separator_gives_the_same_cells() {
    let expected = [["t", "I"], ["0", "0"], ["0.1", "-1"]];
    for (text, separator) in [
        ("t,I\n0,0\n0.1,-1\n", Separator::Comma),
        ("t, I\r\n 0 ,0\r\n0.1,\t-1", Separator::Comma),
        ("t;I\n0;0\n0.1;-1", Separator::Semicolon),
        ("t\tI\n0\t0\n0.1\t-1\n", Separator::Tab),
        ("t   I\n  0 0\n0.1 \t -1  \n", Separator::Blanks),
        ("\"t\" \"I\"\r0 0\r0.1 -1", Separator::Blanks),
    ] {
        let (found, rows) = cells(text);
        assert_eq!(
            (found, &rows),
            (
                separator,
                &expected
                    .iter()
                    .map(|row| { row.iter().map(|cell| (*cell).to_owned()).collect() })
                    .collect::<Vec<Vec<String>>>()
            ),
            "{text:?}"
        );
    }
}

#[test]
fn a_separator_cuts_all_records_alike() {
    // The comma is in more cells than the semicolon, but not in all records.
    let (separator, rows) = cells("time;contacts\n0;1,0\n1;2\n");
    assert_eq!(separator, Separator::Semicolon);
    assert_eq!(rows[1], ["0", "1,0"]);
    assert_eq!(cells("model\nmrg\nsmf\n").0, Separator::Comma, "one column");
    assert_eq!(cells("note\na b\nc\n").1, [["note"], ["a b"], ["c"]]);
    // A record with too few cells does not change what the others are cut by.
    assert_eq!(cells("a,b c\n1,2\n3\n").1[2], ["3"]);
    assert_eq!(cells("0,1 -1\n0,2 0\n").1, [["0,1", "-1"], ["0,2", "0"]]);
    assert_eq!(cells("").1, Vec::<Vec<String>>::new());
}

#[test]
fn quotes_hold_separators_line_ends_and_quotes() {
    let (_, rows) = cells("a,b\n\"1,\"\"2\"\"\",\"x\r\ny\" \n,\"\"\n");
    assert_eq!(rows, [["a", "b"], ["1,\"2\"", "x\ny"], ["", ""]]);
    let table = DelimitedText::parse("a,b\n\"x\ny\",1\n2,3\n").unwrap();
    let lines: Vec<usize> = table.records().map(|record| record.line).collect();
    assert_eq!(lines, [1, 2, 4]);
    assert!(error("a,b\n1,\"2\n3,4\n").contains("line 2: a `\"` opens"));
    let message = error("a,b\n\"1\"x,2\n");
    assert!(
        message.contains("line 2: found `x`") && message.contains("comma"),
        "{message}"
    );
}

#[test]
fn comments_and_empty_lines_are_passed_and_lines_are_counted() {
    let table = DelimitedText::parse("# a\n\n  % x  y\n1 2\n# b\n \t\n3 4\n").unwrap();
    let lines: Vec<usize> = table.records().map(|record| record.line).collect();
    assert_eq!(lines, [4, 7]);
    assert_eq!(table.heading(), Some((3, "x  y")));
    assert_eq!(table.heading_cells(), ["x", "y"]);
    assert_eq!(
        DelimitedText::parse("# a\n\n1 2\n").unwrap().heading(),
        None
    );
    let table = DelimitedText::parse("% isn't \"it\n1,2\n").unwrap();
    assert_eq!(table.heading(), Some((1, "isn't \"it")));
}

#[test]
fn decimal_commas_are_numbers_where_commas_do_not_separate() {
    let semicolons = DelimitedText::parse("a;b\n1;2\n").unwrap();
    assert_eq!(semicolons.number("0,5"), Some(0.5));
    assert_eq!(semicolons.number("-1,5e-3"), Some(-1.5e-3));
    assert_eq!(semicolons.number("0.5"), Some(0.5));
    for no_number in ["1.000,5", "1,2,3", "", "x", "1,x"] {
        assert_eq!(semicolons.number(no_number), None, "{no_number}");
    }
    assert_eq!(semicolons.with_point("1,-1"), "1,-1", "a list stays one");
    let commas = DelimitedText::parse("a,b\n\"0,5\",2\n").unwrap();
    assert_eq!(commas.number(commas.record(1).cell(0)), None);
}

#[test]
fn encodings_with_and_without_marks() {
    let text = "µm;b\r\n1;2\r\n";
    let utf16 = |order: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}"
            .encode_utf16()
            .chain(text.encode_utf16())
            .flat_map(order)
            .collect()
    };
    let mut marked = b"\xef\xbb\xbf".to_vec();
    marked.extend(text.as_bytes());
    let expected = DelimitedText::parse(text).unwrap();
    for bytes in [
        text.as_bytes().to_vec(),
        marked,
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
    ] {
        assert_eq!(
            DelimitedText::from_bytes(&bytes).as_ref(),
            Ok(&expected),
            "{bytes:?}"
        );
    }
    let refuse = |bytes: &[u8]| DelimitedText::from_bytes(bytes).unwrap_err().to_string();
    // Latin-1, UTF-16 without a mark, and UTF-16 cut off.
    assert!(refuse(b"a,b\n\xb5m,1\n").contains("line 2: byte 0xb5 is not UTF-8"));
    assert!(refuse(b"a\0,\0").contains("line 1: found a NUL"));
    assert!(refuse(b"\xff\xfea\0\n\0b").contains("line 2: half a UTF-16 character"));
    assert!(refuse(b"\xff\xfe\x00\xd8a\0").contains("0xd800 is half of a UTF-16 pair"));
}

#[test]
fn records_and_cells_are_bounded() {
    let too_long = "1".repeat(DelimitedText::MAX_CELL_BYTES + 1);
    assert!(
        error(&format!("a,b\n{too_long},1\n"))
            .contains("line 2: the record has more than 65536 bytes in a cell")
    );
    assert!(error(&format!("a,b\n\"{too_long}\n")).contains("bytes in a cell"));
    assert!(error(&format!("a\n{}", ",".repeat(DelimitedText::MAX_CELLS))).contains("4096 cells"));
    let wide = vec!["1".repeat(300); DelimitedText::MAX_CELLS].join(",");
    assert!(error(&format!("a\n{wide}")).contains("1048576 bytes"));
}

#[test]
fn a_million_records_take_seconds() {
    let mut text = String::from("a,b,c,d\n");
    for i in 0..1_000_000 {
        text.push_str(&format!("{i},\"x\",0.5,\n"));
    }
    let began = Instant::now();
    let table = DelimitedText::parse(&text).unwrap();
    assert_eq!(table.len(), 1_000_001);
    let last = table.record(1_000_000);
    assert_eq!(
        (last.line, last.cell(0), last.cell(3)),
        (1_000_001, "999999", "")
    );
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
}

proptest! {
    #[test]
    fn any_text_is_a_table_or_an_error(text in "[ab1,;\t \"#%\r\n\u{b5}]{0,60}") {
        if let Ok(table) = DelimitedText::parse(&text) {
            for record in table.records() {
                prop_assert!(record.line >= 1 && record.cells().len() >= 1);
            }
        }
    }

    #[test]
    fn written_tables_are_read_back(rows in prop::collection::vec(prop::collection::vec("[a-z ,;\"0-9]{0,6}", 3), 2..20)) {
        // Every cell is quoted, hence only the quotes delimit cells.
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let text: String = rows.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n").collect();
        let (separator, found) = cells(&text);
        prop_assert_eq!(separator, Separator::Comma);
        prop_assert_eq!(found, rows);
    }
}
