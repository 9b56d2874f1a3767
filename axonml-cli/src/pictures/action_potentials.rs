//! The picture of fiber models: an action potential of each at its own scale.

use axonml::model::ModelGroup;
use axonml::simulation::spike_shape;
use axonml::study::significant;
use axonml::{Device, Model, Settings};

use crate::error::CliError;
use crate::plot::{MultiplesPlot, SmallPanel};

/// Action potentials of these models, each of a fiber of this diameter (um), or of the one whose conduction velocity the model
/// states.
pub(crate) fn action_potentials(
    models: &[Model],
    diameter_um: Option<f64>,
) -> Result<MultiplesPlot, CliError> {
    let device = Device::auto()?;
    let mut panels = Vec::new();
    for model in models {
        let schema = model.schema();
        let stated = schema.speed.map(|speed| speed.at_um);
        let diameter_um = diameter_um
            .or(stated)
            .unwrap_or_else(|| schema.nearest_um(10.0));
        let settings = Settings::default();
        let Some(shape) = spike_shape(model, diameter_um, &settings, &device)? else {
            return Err(CliError::failure(format!(
                "{}: no current up to 1 uA starts an action potential in a fiber of {diameter_um} um",
                schema.id
            )));
        };
        let group = ModelGroup::of(model);
        panels.push(SmallPanel {
            name: format!("{}, {} µm", schema.id, significant(diameter_um, 4)),
            caption: format!(
                "{} to {} mV, {} ms wide",
                significant(shape.rest_mv, 3),
                significant(shape.peak_mv, 3),
                significant(shape.half_width_ms, 3)
            ),
            group: ModelGroup::ALL
                .iter()
                .position(|other| *other == group)
                .unwrap_or_default(),
            x: shape.t_ms,
            y: shape.v_mv,
            level: Some(shape.rest_mv),
        });
    }
    Ok(MultiplesPlot {
        title: "Action potentials, each at its own scale".to_owned(),
        subtitle: "At three fifths of a fiber of 41 nodes, or of 2 mm without myelin, that rested for 200 ms; started by 0.5 ms of \
                   current above threshold. Below each: from rest to peak, width at half height; dashed: rest."
            .to_owned(),
        x: "time from peak (ms)".to_owned(),
        y: "mV".to_owned(),
        groups: ModelGroup::ALL.map(|group| group.name().to_owned()).to_vec(),
        panels,
    })
}
