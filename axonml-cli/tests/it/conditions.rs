//! Tables of conditions.

use crate::support::{Folder, repository};

const HEADER: &str = "model,diameter_um,n_nodes,distance_um,shape,pw_ms,note,threshold_mA\n";

#[test]
fn references_of_neuron_are_met() {
    let folder = Folder::new("references");
    let table = std::fs::read_to_string(repository("golden/neuron/thresholds_mrg.csv")).unwrap();
    let some: Vec<&str> = table
        .lines()
        .enumerate()
        .filter(|(i, _)| *i == 0 || i % 25 == 3)
        .map(|(_, line)| line)
        .collect();
    folder.write("t.csv", some.join("\n"));
    let answer = folder
        .axonml("threshold --conditions t.csv --resolution 1e-5 -o out.csv")
        .done();
    assert!(
        answer.stdout.contains("error against 7 references: MAPE"),
        "{answer:#?}"
    );
    let rows = folder.rows("out.csv");
    assert_eq!(rows.len(), some.len() - 1);
    for row in &rows {
        let number = |column: &str| row[column].parse::<f64>().unwrap();
        assert_eq!(row["status"], "ok");
        assert_eq!(number("threshold_mA"), number("upper_mA"));
        assert!(
            number("lower_mA") <= number("reference_mA")
                && number("upper_mA") >= number("lower_bound_mA"),
            "{row:?}"
        );
        let error = 100.0 * (number("upper_mA") - number("reference_mA")) / number("reference_mA");
        assert!(
            (number("error_pct") - error).abs() < 1e-12 && error.abs() <= 0.01,
            "{row:?}"
        );
        // What passes through is as it was.
        assert!(
            table.contains(&format!(
                ",{},{}",
                row["reference_mA"], row["lower_bound_mA"]
            )),
            "{row:?}"
        );
    }
    let sidecar = folder.json("out.csv.json");
    assert_eq!(
        (&sidecar["rows"], &sidecar["summary"]["n"]),
        (&7.into(), &7.into())
    );
    for field in [
        "mape_pct",
        "median_pct",
        "p95_pct",
        "min_pct",
        "max_pct",
        "max_abs_pct",
        "seconds",
    ] {
        assert!(sidecar["summary"][field].is_number(), "{field}");
    }
    let request = &sidecar["request"];
    for field in [
        "command",
        "version",
        "dt_ms",
        "precision",
        "backend",
        "conditions_sha256",
    ] {
        assert!(!request[field].is_null(), "{field}");
    }
    assert!(
        request["model_hash"]["mrg"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );
}

#[test]
fn rows_of_nerves_are_met() {
    let folder = Folder::new("nerve-rows");
    let nerves = repository("examples/nerves");
    for (table, some) in [("N1", 29), ("B1", 13)] {
        let text =
            std::fs::read_to_string(repository(&format!("golden/nerves/{table}.csv"))).unwrap();
        let lines: Vec<&str> = text
            .lines()
            .enumerate()
            .filter(|(i, _)| *i == 0 || i % some == 5)
            .map(|(_, line)| line)
            .collect();
        folder.write("t.csv", lines.join("\n"));
        folder
            .axonml(&format!(
                "threshold --conditions t.csv --nerves {nerves} -o out.csv"
            ))
            .done();
        for row in folder.rows("out.csv") {
            let number = |column: &str| row[column].parse::<f64>().unwrap();
            assert!(number("lower_mA") <= number("reference_mA"), "{row:?}");
            assert!(number("upper_mA") >= number("lower_bound_mA"), "{row:?}");
        }
    }
    folder.axonml("threshold --conditions t.csv").refused(&[
        "row 1 (line 2)",
        "column nerve",
        "`B1`",
        "--nerves",
    ]);
    folder
        .axonml("threshold --conditions t.csv --nerves .")
        .refused(&["column nerve", "`./B1`"]);
    folder.write(
        "t.csv",
        "nerve,fiber,diameter_um,contacts\nB1,99,10,\"1,-1\"\n",
    );
    folder
        .axonml(&format!("threshold --conditions t.csv --nerves {nerves}"))
        .refused(&["column fiber", "`99`", "0 to 26"]);
    folder.write(
        "t.csv",
        "nerve,fiber,diameter_um,contacts\nB1,1,10,\"1,-1,0\"\n",
    );
    folder
        .axonml(&format!("threshold --conditions t.csv --nerves {nerves}"))
        .refused(&["column contacts", "3 contact", "2"]);
    folder.write("t.csv", "nerve,fiber,diameter_um\n../B1,1,10\n");
    folder
        .axonml(&format!("threshold --conditions t.csv --nerves {nerves}"))
        .refused(&["column nerve", "`../B1`"]);
}

#[test]
fn the_sundt_rows_of_pyfibers_are_met() {
    let folder = Folder::new("pyfibers");
    let table =
        std::fs::read_to_string(repository("golden/neuron/thresholds_pyfibers.csv")).unwrap();
    let lines: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("model") || line.starts_with("SUNDT"))
        .collect();
    folder.write("t.csv", lines.join("\n"));
    folder
        .axonml("threshold --conditions t.csv --warmup 200 -o out.csv")
        .done();
    let rows = folder.rows("out.csv");
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert!(
            row["error_pct"].parse::<f64>().unwrap().abs() <= 0.3,
            "{row:?}"
        );
    }
    // n_nodes may follow from the length, and must not contradict it.
    let quick = "threshold --conditions t.csv --max-amplitude 0.001 --format json";
    folder.write(
        "t.csv",
        lines.join("\n").replace(",n_nodes,", ",passed_on,"),
    );
    let answer = folder.axonml(quick).done().json();
    assert_eq!(answer["request"]["nodes"], 181);
    folder.write("t.csv", lines.join("\n").replace(",181,", ",171,"));
    folder
        .axonml(quick)
        .refused(&["row 1 (line 2)", "length_um is `1508.273`", "171 nodes"]);
}

#[test]
fn rows_keep_their_order_across_groups() {
    let folder = Folder::new("groups");
    folder.write(
        "t.csv",
        "model,diameter_um,distance_um,dt_ms,detect_node_index\n\
         mrg,5.7,1000,0.005,\nsmf,10,1000,0.005,\nMRG_POLY,10,1000,0.01,-4\nmrg,14,1000,0.005,6\nmrg,5.7,1000,0.01,\n",
    );
    folder
        .axonml("threshold --conditions t.csv -o out.csv")
        .done();
    let rows = folder.rows("out.csv");
    let got: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["model"].as_str(), row["status"].as_str()))
        .collect();
    assert_eq!(
        got,
        [
            ("mrg", "ok"),
            ("smf", "ok"),
            ("MRG_POLY", "ok"),
            ("mrg", "ok"),
            ("mrg", "ok")
        ]
    );
    let threshold = |row: usize| rows[row]["threshold_mA"].parse::<f64>().unwrap();
    assert!(threshold(0) > threshold(2) && threshold(2) > threshold(3));
    // The surrogate of row 1 is one of the fiber of row 2.
    assert!(threshold(1) != threshold(2) && (threshold(1) / threshold(2) - 1.0).abs() < 0.1);
    assert!(threshold(0) != threshold(4) && (threshold(0) / threshold(4) - 1.0).abs() < 0.05);
}

#[test]
fn flags_override_columns_and_columns_defaults() {
    let folder = Folder::new("precedence");
    folder.write(
        "t.csv",
        "diameter_um,distance_um,shape,pw_ms,dt_ms\n10,1000,biphasic,0.2,0.01\n",
    );
    let request = |flags: &str| {
        let answer = folder
            .axonml(&format!(
                "threshold --conditions t.csv --format json {flags}"
            ))
            .done();
        (
            answer.json()["request"].clone(),
            answer.json()["results"][0]["threshold_mA"]
                .as_f64()
                .unwrap(),
        )
    };
    let (columns, biphasic) = request("");
    assert_eq!(
        (&columns["dt_ms"], &columns["tstop_ms"]),
        (&0.01.into(), &5.0.into())
    );
    let (flags, mono) = request(
        "--dt 0.005 --tstop 4 --diameter 12 --pulse monophasic:pw=0.2 --detect-nodes 7 --point 900,0,0",
    );
    assert_eq!(
        (&flags["dt_ms"], &flags["tstop_ms"]),
        (&0.005.into(), &4.0.into())
    );
    assert_eq!(
        (&flags["diameter_um"], &flags["detection"]["nodes"]),
        (&12.0.into(), &serde_json::json!([7]))
    );
    assert!(mono < biphasic);
    // The result shows what was used, and says that it is not what the table says.
    let answer = folder
        .axonml("threshold --conditions t.csv --format json --diameter 12 --point 900,0,0")
        .done();
    let row = &answer.json()["results"][0];
    assert_eq!(row["diameter_um"].to_string().trim_matches('"'), "12");
    assert_ne!(row["distance_um"].to_string().trim_matches('"'), "1000");
    assert!(
        answer
            .stderr
            .contains("override the table's diameter_um, distance_um"),
        "{answer:#?}"
    );
    folder
        .axonml("threshold --conditions t.csv --diameter 5,6")
        .refused(&["--diameter", "expected one"]);
}

#[test]
fn a_bad_row_refuses_the_table() {
    let folder = Folder::new("bad-rows");
    let good = "mrg,10,53,1000,mono,0.1,keep me,0.12\n";
    for (row, parts) in [
        (
            "mrgg,10,53,1000,mono,0.1,,",
            &["column model", "`mrgg`", "did you mean `mrg`?"][..],
        ),
        (
            "mrg,,53,1000,mono,0.1,,",
            &["column diameter_um", "found nothing", "--diameter"],
        ),
        (
            "mrg,30,53,1000,mono,0.1,,",
            &["column diameter_um", "`30`", "expected 2 to "],
        ),
        (
            "mrg,-1,53,1000,mono,0.1,,",
            &["column diameter_um", "`-1`", "in um greater than 0"],
        ),
        (
            "mrg,10,2,1000,mono,0.1,,",
            &["column n_nodes", "`2`", "3 or more"],
        ),
        (
            "mrg,10,5,1000,mono,0.1,,",
            &["detection node is `5`", "0 to 4"],
        ),
        (
            "mrg,10,53,,mono,0.1,,",
            &["column distance_um", "found nothing"],
        ),
        (
            "mrg,10,53,nan,mono,0.1,,",
            &["column distance_um", "`nan`", "in um"],
        ),
        (
            "mrg,10,53,1000,monoo,0.1,,",
            &["column shape", "`monoo`", "did you mean `mono`?"],
        ),
        (
            "mrg,10,53,1000,mono,abc,,",
            &["column pw_ms", "`abc`", "in ms"],
        ),
        (
            "mrg,10,53,1000,mono,0.1,,x",
            &["column threshold_mA", "`x`", "in mA"],
        ),
        ("mrg,10,53,1000", &["found 4 cells, expected 8"]),
    ] {
        folder.write("t.csv", format!("{HEADER}{good}{row}\n{good}"));
        let answer = folder.axonml("threshold --conditions t.csv -o out.csv");
        let answer = answer
            .refused(&["t.csv, row 2 (line 3)", "help:"])
            .refused(parts);
        assert_eq!(answer.stdout, "");
    }
    assert_eq!(folder.files(), ["t.csv"]);
}

#[test]
fn tables_that_are_none() {
    let folder = Folder::new("bad-tables");
    let refuse = |content: &str, parts: &[&str]| {
        folder.write("t.csv", content);
        folder
            .axonml("threshold --conditions t.csv")
            .refused(&["t.csv"])
            .refused(parts);
    };
    folder
        .axonml("threshold --conditions no.csv")
        .refused(&["no.csv", "existing CSV file"]);
    refuse("", &["found the columns", "diameter_um"]);
    refuse("a,b\n1,2\n", &["found the columns `a, b`", "diameter_um"]);
    refuse("diameter_um,distance_um\n", &["no rows"]);
    refuse(
        "diameter_um,diameter_um\n1,2\n",
        &["`diameter_um` occurs twice"],
    );
    folder.write("t.csv", b"diameter_um,distance_um\n\xff\xfe,1\n");
    folder
        .axonml("threshold --conditions t.csv")
        .refused(&["UTF-8"]);
}

#[test]
fn a_misspelt_column_is_refused() {
    let folder = Folder::new("misspelt");
    folder.write("t.csv", "diameter_um,distance_um,pw_mss\n10,1000,0.2\n");
    folder.axonml("threshold --conditions t.csv").refused(&[
        "the column `pw_mss`",
        "did you mean `pw_ms`",
        "rename it",
    ]);
}

#[test]
fn keep_going_computes_the_good_rows() {
    let folder = Folder::new("keep-going");
    let rows = "mrg,10,53,1000,mono,0.1,\"first, good\",0.12\nGAINES,1,53,150,mono,0.1,unknown,0.1\n\
                mrg,10,53,1000,mono,bad,width,\nmrg,14,53,1000,mono,0.1,last,\n";
    folder.write("t.csv", format!("{HEADER}{rows}"));
    let answer = folder.axonml("threshold --conditions t.csv --keep-going -o out.csv");
    answer.failed(
        1,
        &[
            "2 of 4 rows",
            "skipped: t.csv, row 2 (line 3): column model",
            "row 3 (line 4): column pw_ms",
        ],
    );
    let rows = folder.rows("out.csv");
    let column = |name: &str| {
        rows.iter()
            .map(|row| row[name].as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(column("status"), ["ok", "error", "error", "ok"]);
    assert_eq!(column("note"), ["first, good", "unknown", "width", "last"]);
    assert_eq!(column("reference_mA"), ["0.12", "0.1", "", ""]);
    assert!(column("message")[1].contains("`GAINES`") && column("threshold_mA")[1].is_empty());
    assert!(!column("threshold_mA")[3].is_empty() && column("error_pct")[3].is_empty());
    let summary = &folder.json("out.csv.json")["summary"];
    assert_eq!(
        (
            &summary["n"],
            &summary["rows"],
            &summary["statuses"]["error"]
        ),
        (&1.into(), &4.into(), &2.into())
    );
}

#[test]
fn a_result_can_be_a_table_again() {
    let folder = Folder::new("again");
    folder.write(
        "t.csv",
        "\u{feff}diameter_um,distance_um,threshold_mA\r\n10,1000,0.12\r\n14,1000,0.1\r\n",
    );
    folder
        .axonml("threshold --conditions t.csv -o a.csv")
        .done();
    folder
        .axonml("threshold --conditions a.csv -o b.csv")
        .done();
    for row in folder.rows("b.csv") {
        assert_eq!(
            (row["reference_mA"].as_str(), row["error_pct"].as_str()),
            (row["threshold_mA"].as_str(), "0")
        );
    }
}
