//! Requests that no optimization can mean, as far as their tables tell: contradictions, and settings without effect.

use crate::study::StudyError;
use crate::study::spec::check::{exclusive, idle};
use crate::study::spec::{
    Diameters, Method, ObjectiveSpec, Offset, OptimizeProtocol, Protocol, Study, Varied, Want,
};

impl Study {
    /// Refuses what no optimization can mean, and tables of an optimization in other studies.
    pub(in crate::study::spec) fn check_design(&self) -> Result<(), StudyError> {
        let Protocol::Optimize(protocol) = &self.protocol else {
            return self.check_no_design();
        };
        self.check_place(protocol)?;
        self.check_only_design()?;
        protocol.check(self).map_err(|error| error.at("protocol"))?;
        let dt_ms = self.numerics.dt_ms();
        let tstop_ms = self.numerics.tstop_ms.unwrap_or(OptimizeProtocol::TSTOP_MS);
        self.stimulus
            .check(protocol.method(), dt_ms, tstop_ms)
            .map_err(|error| error.at("stimulus"))?;
        self.limits
            .check(&self.stimulus)
            .map_err(|error| error.at("limits"))?;
        if !(self.gd.is_empty() || protocol.descends()) {
            return Err(idle("[gd]", &without(protocol, "descends")));
        }
        self.gd.check().map_err(|error| error.at("gd"))?;
        self.check_quotient(protocol)?;
        if protocol.evolves() {
            let given = [
                ("init", self.gd.init.is_some()),
                ("starts", self.gd.starts.is_some()),
            ];
            if let Some((key, _)) = given.iter().find(|(_, given)| *given) {
                let why = "the descent begins at the best member of the evolution";
                return Err(idle(key, why).at("gd"));
            }
        }
        if !(self.de.is_empty() || protocol.evolves()) {
            return Err(idle("[de]", &without(protocol, "evolves")));
        }
        self.de.check().map_err(|error| error.at("de"))?;
        if protocol.objectives.is_some() {
            self.check_front()?;
        }
        self.robust
            .check()
            .and_then(|()| self.check_copies(protocol))
            .map_err(|error| error.at("robust"))
    }

    /// Refuses copies that no search looks at, and goals that have no mean over copies.
    fn check_copies(&self, protocol: &OptimizeProtocol) -> Result<(), StudyError> {
        if self.robust.in_loop() == 0 {
            return Ok(());
        }
        if protocol.method() == Method::Scan {
            return Err(idle(
                "in_loop",
                "a scan compares montages on the nerve as it is",
            ));
        }
        match protocol.recruit() == [1.0, 1.0] {
            true => Ok(()),
            false => Err(StudyError::request(
                "in_loop: found copies together with recruit, a part of the target area; expected all of it, as which targets fire may differ between copies",
            )
            .help("leave in_loop (--robust-in-loop) or recruit (--recruit) out")),
        }
    }

    /// Refuses what the quotient of gates, which has no thresholds, does not use or cannot tell.
    fn check_quotient(&self, protocol: &OptimizeProtocol) -> Result<(), StudyError> {
        if protocol.objective() != ObjectiveSpec::Quotient {
            return Ok(());
        }
        if self.gd.softness.is_some() {
            return Err(idle("softness", "gates are as steep as they are")
                .help("leave it out, or take another objective")
                .at("gd"));
        }
        match protocol.recruit() == [1.0, 1.0] {
            true => Ok(()),
            false => Err(StudyError::request(
                "recruit: found a part of the target area together with objective quotient, expected all of it: the quotient sums over all targets",
            )
            .help("leave recruit (--recruit) out, or take another objective")
            .at("protocol")),
        }
    }

    /// Refuses what a front of two objectives does not use, or cannot tell.
    fn check_front(&self) -> Result<(), StudyError> {
        let idle_keys = [
            (
                "target_loss",
                self.de.target_loss.is_some(),
                "has no one loss",
            ),
            (
                "patience",
                self.de.patience.is_some(),
                "has no one best member",
            ),
        ];
        if let Some((key, _, why)) = idle_keys.iter().find(|(_, given, _)| *given) {
            return Err(idle(key, &format!("a front of two objectives {why}")).at("de"));
        }
        if self.limits.dac_ma.is_some() {
            return Err(StudyError::request(
                "dac_mA: found a step together with two objectives, expected one of them: a front is not searched on the converter's grid",
            )
            .help("leave dac_mA (--dac) out, or give one objective")
            .at("limits"));
        }
        if self.stimulus.varies(Varied::Samples) {
            return Err(StudyError::request(
                "vary: found samples together with two objectives, expected amplitudes and widths, which a front can tell",
            )
            .help("vary amplitudes, or give one objective")
            .at("stimulus"));
        }
        Ok(())
    }

    /// Refuses tables of an optimization in other studies.
    fn check_no_design(&self) -> Result<(), StudyError> {
        let tables = [
            ("[stimulus]", !self.stimulus.is_empty()),
            ("[limits]", !self.limits.is_empty()),
            ("[gd]", !self.gd.is_empty()),
            ("[de]", !self.de.is_empty()),
            ("[robust]", !self.robust.is_empty()),
        ];
        let why = format!("`{}` optimizes nothing", self.protocol.kind());
        let help = "leave it out, or ask for kind = \"optimize\" (axonml optimize)";
        if let Some((table, _)) = tables.iter().find(|(_, given)| *given) {
            return Err(idle(table, &why).help(help));
        }
        match self.fibers.iter().any(|group| group.want.is_some()) {
            true => Err(idle("want", &why).help(help).at("fibers")),
            false => Ok(()),
        }
    }

    /// Refuses what other studies have and optimizations have not.
    fn check_only_design(&self) -> Result<(), StudyError> {
        if self.conditions.is_some() {
            return Err(idle("conditions", "an optimization is about a nerve"));
        }
        if !self.sources.is_empty() {
            return Err(idle(
                "[[source]]",
                "contacts have one waveform, that of [stimulus]",
            )
            .help("set waveform in [stimulus] (--waveform)"));
        }
        if self.output.keep_going {
            return Err(idle(
                "keep_going",
                "an optimization is about all fibers, and leaves none out",
            )
            .at("output"));
        }
        if self.field.contacts.is_some() {
            return Err(idle(
                "contacts",
                "what each contact delivers is what is looked for",
            )
            .help("leave it out; frozen_mA in [limits] (--frozen) holds contacts")
            .at("field"));
        }
        let injected = [
            ("[[inject]]", !self.injections.is_empty()),
            ("[conditioning]", !self.conditioning.is_empty()),
        ];
        if let Some((table, _)) = injected.iter().find(|(_, given)| *given) {
            return Err(idle(table, "an optimization injects no current"));
        }
        let mut groups = self.fibers.iter();
        if !self.fibers.is_empty() && groups.all(|group| group.want() == Want::Ignore) {
            return Err(StudyError::request(
                "want: found ignore for all groups, expected one at least that counts",
            )
            .help("leave want out of one of them")
            .at("fibers"));
        }
        for group in &self.fibers {
            if let Some(Offset::List(list)) = &group.offset_um
                && list.len() > 1
            {
                return Err(StudyError::request(format!(
                    "offset_um: found {} shifts, expected one, or \"random\"",
                    list.len()
                ))
                .help("give one; robust.offset (--perturb offset=uniform) tries others")
                .at("fibers"));
            }
        }
        Ok(())
    }

    /// Refuses fields that are no nerve.
    fn check_place(&self, protocol: &OptimizeProtocol) -> Result<(), StudyError> {
        let field = &self.field;
        let others = [
            ("point", !field.points.is_empty()),
            ("distance_um", field.distance_um.is_some()),
            ("basis", field.basis.is_some()),
        ];
        let nerve = "give nerve = \"DIR\" (--nerve DIR), or demonstration = true";
        if let Some((key, _)) = others.iter().find(|(_, given)| *given) {
            return Err(StudyError::request(format!(
                "found {key}, expected a nerve: its contacts are what an optimization sets"
            ))
            .help(nerve)
            .at("field"));
        }
        let given = [
            ("field.nerve", field.nerve.is_some()),
            ("field.demonstration", field.demonstration),
            ("protocol.nerves", !protocol.nerves.is_empty()),
        ];
        let mut given = given.iter().filter(|(_, given)| *given);
        match (given.next(), given.next()) {
            (None, _) => {
                Err(StudyError::request("field: found none, expected a nerve").help(nerve))
            }
            (Some((one, _)), Some((other, _))) => Err(exclusive(one, other)),
            (Some(_), None) => Ok(()),
        }
    }

    /// Number of diameters of each line in the first group.
    pub(super) fn diameters_of_a_line(&self) -> usize {
        match self
            .fibers
            .first()
            .and_then(|group| group.diameter_um.as_ref())
        {
            Some(Diameters::List(list)) => list.len(),
            Some(Diameters::One(_) | Diameters::Drawn(_)) | None => 1,
        }
    }
}

impl Study {
    /// The study of an optimization with every default of its tables written out, without tables that its method does not
    /// use; other studies as they are.
    #[must_use]
    pub fn with_design_defaults(&self) -> Self {
        let Protocol::Optimize(protocol) = &self.protocol else {
            return self.clone();
        };
        let mut study = self.clone();
        study.stimulus = self.stimulus.completed(self.numerics.dt_ms());
        study.limits = self.limits.completed();
        if protocol.descends() {
            study.gd = self.gd.completed(self.stimulus.varies(Varied::Samples));
            if protocol.evolves() {
                (study.gd.init, study.gd.starts) = (None, None);
            }
            if protocol.objective() == ObjectiveSpec::Quotient {
                study.gd.softness = None;
            }
        }
        if protocol.evolves() {
            study.de = self.de.completed();
            if protocol.objectives.is_some() {
                study.de.patience = None;
            }
        }
        study.robust = self.robust.completed();
        study.protocol = Protocol::Optimize(protocol.completed());
        study
    }
}

fn without(protocol: &OptimizeProtocol, what: &str) -> String {
    let method = match (protocol.method(), protocol.then) {
        (Method::De, None) => "de without then = \"gd\"".to_owned(),
        (method, _) => method.to_string(),
    };
    format!("nothing {what}, as the method is {method}")
}
