//! Requests of optimizations that are planned, and those that are refused.

mod refused;

use axonml::Device;
use axonml::study::{CaseSource, Execution, Machine, Plan, Silent, Study, StudyError};

fn study(text: &str) -> Result<Study, StudyError> {
    Study::from_toml(text)
}

fn planned(text: &str) -> Result<Plan, StudyError> {
    let machine = Machine::new(Device::cpu().unwrap());
    Plan::new(&study(text)?, &machine, &mut Silent)
}

/// An optimization on the bundled nerve, with further keys of its protocol and further tables.
fn of(protocol: &str, tables: &str) -> String {
    format!(
        "[field]\ndemonstration = true\n[protocol]\nkind = \"optimize\"\n{protocol}\n{tables}\n"
    )
}

#[test]
fn every_fiber_has_every_contact_as_a_source() {
    let plan = planned(&of("", "")).unwrap();
    assert_eq!(plan.cases.len(), 12);
    let nerve = axonml::demonstration::nerve().unwrap();
    for (line, planned) in plan.cases.iter().enumerate() {
        let case = planned.case.as_ref().unwrap();
        assert_eq!(case.sources.len(), 6);
        assert_eq!((case.fiber.diameter_um, case.tstop_ms), (5.7, 2.5));
        assert_eq!(planned.member.line, Some(line));
        assert_eq!(planned.member.target, Some(nerve.target().unwrap()[line]));
        assert!((planned.member.weight - nerve.weights()[line]).abs() < 1e-12);
        for (contact, source) in case.sources.iter().enumerate() {
            let CaseSource::Field(field, waveform) = source else {
                panic!("contacts are fields");
            };
            // The sample in the middle of the line, where the spline passes through the file's number.
            let middle = nerve.fiber_z_um().len() / 2;
            let expected = nerve.potentials_mv(contact)[[line, middle]];
            let found = field.potentials_mv(&[0.0]).unwrap()[0];
            assert!(
                (found - expected).abs() < 1e-9 * expected.abs(),
                "{found} {expected}"
            );
            assert!((waveform.end_ms().unwrap() - 0.6).abs() < 1e-12);
        }
    }
    let request = plan.request();
    assert_eq!(request["precision"], "f32");
    assert_eq!(request["resolution"], 1e-3);
    assert_eq!(request["optimize"]["method"], "gd");
    let error = plan.run(&Execution::default(), &mut Silent).err().unwrap();
    assert!(error.message().contains("as a whole"), "{error}");
}

/// A fiber is as long as the contact needs that drives its ends most.
#[test]
fn extents_are_those_of_the_most_demanding_contact() {
    let plan = planned(&of("", "")).unwrap();
    let alone = |contact: usize| {
        let factors: Vec<String> = (0..6).map(|k| u8::from(k == contact).to_string()).collect();
        let text = format!(
            "[fibers]\ndiameter_um = 5.7\n[field]\ndemonstration = true\ncontacts = [{}]\n[protocol]\nkind = \"threshold\"\n",
            factors.join(", ")
        );
        let plan = planned(&text).unwrap();
        let cases = plan.cases.iter();
        cases
            .map(|planned| planned.case.as_ref().unwrap().fiber.nodes)
            .collect::<Vec<_>>()
    };
    let alone: Vec<Vec<usize>> = (0..6).map(alone).collect();
    for (line, planned) in plan.cases.iter().enumerate() {
        let longest = alone.iter().map(|nodes| nodes[line]).max().unwrap();
        assert_eq!(planned.case.as_ref().unwrap().fiber.nodes, longest);
    }
    assert!(alone.iter().any(|nodes| nodes != &alone[0]));
    let given = planned(&of("", "[fibers]\nnodes = 53")).unwrap();
    let mut cases = given.cases.iter();
    assert!(cases.all(|planned| planned.case.as_ref().unwrap().fiber.nodes == 53));
}

#[test]
fn diameters_and_groups_share_the_weight_of_a_line() {
    let plan = planned(&of(
        "diameter_shares = [3, 1]",
        "[[fibers]]\ndiameter_um = [5.7, 8.7]\n[[fibers]]\nname = \"c\"\nmodel = \"sundt\"\nnodes = 51\nweight = 3\nwant = \"spare\"",
    ))
    .unwrap();
    let nerve = axonml::demonstration::nerve().unwrap();
    assert_eq!(plan.cases.len(), 36);
    for planned in &plan.cases {
        let member = &planned.member;
        let line = nerve.weights()[member.line.unwrap()];
        // A quarter of all weight is the first group's, three of four parts of it its first diameter's.
        let share = match (member.group, member.diameter_um) {
            (0, 5.7) => 0.25 * 0.75,
            (0, _) => 0.25 * 0.25,
            _ => 0.75,
        };
        assert!((member.weight - line * share).abs() < 1e-12, "{member:?}");
    }
}

#[test]
fn fascicles_can_be_targets() {
    let plan = planned(&of("target = \"fascicles:0,2\"", "")).unwrap();
    for planned in &plan.cases {
        let member = &planned.member;
        let expected = [0, 2].contains(&member.fascicle.unwrap());
        assert_eq!(member.target, Some(expected));
    }
}

#[test]
fn several_nerves_are_a_study_of_each() {
    let text = "[protocol]\nkind = \"optimize\"\nnerves = [\"a\", \"b\"]\nshared = true\n";
    let study = study(text).unwrap();
    let each = axonml::study::OptimizeProtocol::of_each_nerve(&study);
    let nerves: Vec<_> = each
        .iter()
        .map(|one| one.field.nerve.clone().unwrap())
        .collect();
    assert_eq!(nerves, ["a", "b"].map(std::path::PathBuf::from));
    let error = planned(text).err().unwrap();
    assert!(
        error.message().contains("nerves: found 2 nerves"),
        "{error}"
    );
}

#[test]
fn defaults_written_out_are_the_same_study() {
    for (protocol, tables) in [
        ("", ""),
        ("method = \"scan\"", ""),
        ("method = \"de\"", "[de]\nadaptation = \"jade:p=0.2\""),
        ("method = \"de\"\nthen = \"gd\"", "[gd]\nrule = \"lbfgs\""),
        ("method = \"de\"\nobjectives = [\"area\", \"charge\"]", ""),
        (
            "",
            "[stimulus]\nvary = \"samples\"\nwindow_ms = [0.2, 1.2]\n[gd]\nschedule = \"constant\"\ninit = \"zero\"",
        ),
        (
            "recruit = 0.5",
            "[stimulus]\nvary = [\"amplitude\", \"pw\"]\n[robust]\ncopies = 0",
        ),
        (
            "penalty = { energy = 2 }",
            "[limits]\nfrozen_mA = { 0 = 0.5, 3 = -0.25 }\ncompliance_V = 2\ncontact_area_cm2 = [1, 2, 3, 4, 5, 6]\nshannon_k = 1",
        ),
    ] {
        let given = study(&of(protocol, tables)).unwrap();
        let completed = given.with_design_defaults();
        let text = completed.to_toml().unwrap();
        let read = study(&text).unwrap();
        assert_eq!(read, completed, "{text}");
        let json = serde_json::to_string(&completed).unwrap();
        assert_eq!(Study::from_json(&json).unwrap(), completed, "{json}");
        let request = |text: &str| {
            let mut request = planned(text)
                .unwrap_or_else(|why| panic!("{why}: {text}"))
                .request();
            request.as_object_mut().unwrap().remove("study");
            request
        };
        assert_eq!(request(&text), request(&given.to_toml().unwrap()), "{text}");
    }
}

/// Each line: a key or table, what is wrong with it, and parts of the message: place, value found, value expected.

#[test]
fn fields_are_nerves() {
    let with = |field: &str| {
        let text = format!("{field}\n[protocol]\nkind = \"optimize\"\n");
        planned(&text).err().unwrap().message()
    };
    let none = with("");
    assert!(
        none.contains("field: found none, expected a nerve"),
        "{none}"
    );
    for (field, key) in [
        ("[field]\ndistance_um = 100", "distance_um"),
        ("[field]\npoint = [{ x_um = 100 }]", "point"),
        ("[field]\nbasis = \"b.npy\"", "basis"),
    ] {
        let refused = with(field);
        assert!(
            refused.contains(&format!("found {key}, expected a nerve")),
            "{refused}"
        );
    }
    let contacts = with("[field]\ndemonstration = true\ncontacts = [1, 0, 0, 0, 0, 0]");
    assert!(contacts.contains("contacts has no effect"), "{contacts}");
}

#[test]
fn other_studies_have_no_such_tables() {
    for table in [
        "[stimulus]\nwaveform = \"sine\"",
        "[limits]\nbound_mA = 1",
        "[gd]\nsteps = 2",
        "[de]\npatience = 2",
        "[robust]\ncopies = 2",
    ] {
        let text =
            format!("[field]\ndistance_um = 100\n[protocol]\nkind = \"threshold\"\n{table}\n");
        let message = planned(&text).err().unwrap().message();
        let name = table.lines().next().unwrap();
        assert!(
            message.contains(&format!("{name} has no effect: `threshold`")),
            "{message}"
        );
    }
    let text = "[fibers]\nwant = \"spare\"\n[field]\ndistance_um = 100\n[protocol]\nkind = \"threshold\"\n";
    let message = planned(text).err().unwrap().message();
    assert!(message.contains("want has no effect"), "{message}");
}
