//! Waveforms and injected currents.

use axonml_core::{CoreError, Waveform};
use axonml_models::conditions::Polarity;
use serde::{Deserialize, Serialize};

use super::OneOrMany;
use super::text;

/// The pulse unless a study says otherwise.
pub const PULSE: &str = "monophasic:pw=0.1,delay=0.1";

/// A waveform, of the whole field or of one contact or point. Lists make grids; one source may have some.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceSpec {
    /// The contact of the nerve that delivers it; without one it is that of all contacts, each times its factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<usize>,
    /// The point electrode that delivers it, by its place in the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<usize>,
    /// Waveform of unit amplitude, as `--pulse` takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse: Option<OneOrMany<String>>,
    /// `cathodic` (as written) or `anodic` (flipped).
    #[serde(with = "text::optional", skip_serializing_if = "Option::is_none")]
    pub polarity: Option<Polarity>,
    /// Factor of the waveform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<f64>,
    /// Onsets in place of the pulse's `delay`, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<OneOrMany<f64>>,
    /// Widths in place of the pulse's `pw`, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulse_width_ms: Option<OneOrMany<f64>>,
    /// Frequencies in place of the pulse's `freq`, kHz.
    ///
    /// Key: `frequency_kHz`.
    #[serde(rename = "frequency_kHz", skip_serializing_if = "Option::is_none")]
    pub frequency_khz: Option<OneOrMany<f64>>,
}

impl SourceSpec {
    /// The pulses as they are written.
    pub fn pulses(&self) -> Vec<String> {
        match &self.pulse {
            Some(pulses) => pulses.0.clone(),
            None => vec![PULSE.to_owned()],
        }
    }
}

/// A current pulse into a node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InjectionSpec {
    /// 0-based node; negative from the end; 0 unless `at` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<i64>,
    /// The node as a fraction of the fiber's length, in place of `node`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// Current, nA; positive depolarizes. Without it the current is what a threshold search looks for.
    ///
    /// Key: `amp_nA`.
    #[serde(rename = "amp_nA", skip_serializing_if = "Option::is_none")]
    pub amp_na: Option<f64>,
    /// Pulse width, ms.
    pub pw_ms: f64,
    /// Onset, ms.
    pub delay_ms: f64,
}

impl Default for InjectionSpec {
    fn default() -> Self {
        InjectionSpec {
            node: None,
            at: None,
            amp_na: None,
            pw_ms: 0.1,
            delay_ms: 1.0,
        }
    }
}

impl InjectionSpec {
    /// The current where none is given and none is looked for, nA.
    pub const AMP_NA: f64 = 2.0;

    /// The waveform of 1 nA.
    ///
    /// # Errors
    /// [`CoreError`] for a width or onset that no pulse has.
    pub fn waveform(&self) -> Result<Waveform, CoreError> {
        let pulse = Waveform::monophasic(self.pw_ms)?.flipped();
        if !(self.delay_ms.is_finite() && self.delay_ms >= 0.0) {
            return Err(CoreError::BadValue {
                what: "the onset of an injected current".into(),
                found: self.delay_ms.to_string(),
                expected: "a finite number of ms, 0 or more".into(),
            });
        }
        Ok(pulse.delayed(self.delay_ms))
    }
}

/// A current that starts an action potential before the stimulus under study.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConditioningSpec {
    /// 0-based node; negative from the end; 0 unless `at` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<i64>,
    /// The node as a fraction of the fiber's length, in place of `node`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    /// Current, nA.
    ///
    /// Key: `amp_nA`.
    #[serde(rename = "amp_nA")]
    pub amp_na: f64,
    /// Pulse width, ms.
    pub pw_ms: f64,
    /// Onset, ms.
    pub at_ms: f64,
}

impl Default for ConditioningSpec {
    fn default() -> Self {
        ConditioningSpec {
            node: None,
            at: None,
            amp_na: InjectionSpec::AMP_NA,
            pw_ms: 0.1,
            at_ms: 1.0,
        }
    }
}

impl ConditioningSpec {
    /// The same as an injected current.
    pub fn injection(&self) -> InjectionSpec {
        InjectionSpec {
            node: self.node,
            at: self.at,
            amp_na: Some(self.amp_na),
            pw_ms: self.pw_ms,
            delay_ms: self.at_ms,
        }
    }
}
