//! A run under the doctor's care, for JavaScript: numbers in, what was found as JSON out.
//!
//! Methods here hold the object while they wait, unlike the others: nobody may train meanwhile. Whoever calls keeps away.

use crate::{Forge, error};
use digit_forge_core::doctor::cures::Offer;
use digit_forge_core::doctor::keeper::{Keeper, MOST_BYTES, Rescue};
use digit_forge_core::doctor::rules::rule;
use digit_forge_core::doctor::symptoms::{Memory, Samples, Symptoms};
use digit_forge_core::doctor::{Alarm, words};
use digit_forge_core::error::Result;
use digit_forge_core::models::vitals::Vitals;
use digit_forge_core::train::json::Json;
use wasm_bindgen::prelude::*;

/// The doctor's rules and cures in words, as JSON, the gravest first.
#[wasm_bindgen]
pub fn rules() -> String {
    words::describe()
}

/// What is known of a number; NaN: nothing.
fn known(value: f32) -> Option<f32> {
    (!value.is_nan()).then_some(value)
}

/// From ten shares, the agreement, the certainty, the diversity, and that within a digit. None of any other count.
fn samples_of(values: &[f32]) -> Option<Samples> {
    let (&shares, &[agreement, certainty, diversity, within]) = values.split_first_chunk()? else { return None };
    let (agreement, certainty, within) = (known(agreement), known(certainty), known(within));
    Some(Samples { shares, agreement, certainty, diversity, within })
}

/// From the lengths of both gradients, D's first, what the noise does, and the logits: of as many real images as fakes.
fn vitals_of(step: u32, values: &[f32]) -> Option<Vitals> {
    let (&[d_gradient, g_gradient, noise_effect], logits) = values.split_first_chunk()?;
    let (real, fake) = logits.split_at(logits.len() / 2);
    Some(Vitals { step, real: real.to_vec(), fake: fake.to_vec(), d_gradient, g_gradient, noise_effect })
}

fn whole(value: u32) -> Json {
    Json::number(value as usize)
}

fn offer(offer: &Offer) -> Json {
    let changes = offer.changes.iter().map(|(key, value)| (*key, Json::text(value))).collect();
    Json::object(vec![
        ("cure", Json::text(offer.cure.id)),
        ("changes", Json::object(changes)),
        ("live", Json::Bool(offer.live)),
    ])
}

fn told(keeper: &Keeper, alarm: &Alarm) -> Result<Json> {
    let offers = keeper.doctor().offers(alarm.rule)?;
    Ok(Json::object(vec![
        ("rule", Json::text(alarm.rule.id)),
        ("value", Json::float(alarm.value)),
        ("since", whole(alarm.since)),
        ("spoke", whole(alarm.spoke)),
        ("before", keeper.before(alarm).map_or(Json::Null, |good| whole(good.step))),
        ("offers", Json::Array(offers.iter().map(offer).collect())),
    ]))
}

fn rescued(rescue: &Rescue) -> Json {
    let breakage = rescue.breakage.as_ref().map_or(Json::Null, |b| {
        Json::object(vec![
            ("step", whole(b.step)),
            ("network", Json::text(&b.network)),
            ("layer", Json::text(&b.layer)),
        ])
    });
    Json::object(vec![("breakage", breakage), ("changed", rescue.changed.as_ref().map_or(Json::Null, offer))])
}

#[wasm_bindgen]
impl Forge {
    /// Takes the run under care, as it is: it is taken to be well.
    #[wasm_bindgen(js_name = takeCare)]
    pub async fn take_care(&mut self) -> std::result::Result<(), JsError> {
        self.keeper = Some(Keeper::new(&mut self.trainer, MOST_BYTES).await.map_err(error)?);
        Ok(())
    }

    /// Tells the doctor how the run was after a step. `broke`: the first step whose losses were no numbers. `vitals` are both
    /// gradients' lengths, the noise's effect and the logits, `samples` ten shares, the agreement, the certainty, the diversity
    /// and that within a digit, with NaN for what nobody knows; `preference` is that of [`Forge::preference`], `copies` the share of
    /// samples whose nearest real image is one that is trained on, of as many of either kind. The answer is what was found, as JSON:
    /// alarms that are new, the names of those that are on, and whether the run went back by itself.
    pub async fn observe(
        &mut self,
        step: u32,
        broke: Option<u32>,
        vitals: Option<Vec<f32>>,
        samples: Option<Vec<f32>>,
        preference: Option<f32>,
        copies: Option<f32>,
    ) -> std::result::Result<String, JsError> {
        let vitals = vitals.and_then(|values| vitals_of(step, &values));
        let samples = samples.and_then(|values| samples_of(&values));
        // Half is what D prefers where nobody asked it.
        let memory = (preference.is_some() || copies.is_some())
            .then(|| Memory { preference: preference.unwrap_or(0.5), copies });
        self.observed(Symptoms { step, broke, vitals, samples, memory }).await.map_err(error)
    }

    /// Goes back to before an alarm that is on began, if that is remembered, and applies the cure, which has to be a live one.
    /// Returns whether it went back.
    pub fn undo(&mut self, rule_id: &str, cure: Option<String>) -> std::result::Result<bool, JsError> {
        self.undone(rule_id, cure.as_deref()).map_err(error)
    }

    /// The settings in force, as text.
    pub fn settings(&self) -> std::result::Result<String, JsError> {
        self.trainer.settings_text().map_err(error)
    }
}

impl Forge {
    async fn observed(&mut self, symptoms: Symptoms) -> Result<String> {
        let Some(keeper) = &mut self.keeper else { return Ok("null".into()) };
        let observed = keeper.observe(&mut self.trainer, symptoms).await?;
        let alarms: Result<Vec<Json>> = observed.alarms.iter().map(|alarm| told(keeper, alarm)).collect();
        let on = keeper.doctor().alarms().iter().map(|alarm| Json::text(alarm.rule.id)).collect();
        let found = Json::object(vec![
            ("told", Json::Array(alarms?)),
            ("on", Json::Array(on)),
            ("rescue", observed.rescue.as_ref().map_or(Json::Null, rescued)),
        ]);
        Ok(found.write())
    }

    fn undone(&mut self, rule_id: &str, cure: Option<&str>) -> Result<bool> {
        let Some(keeper) = &mut self.keeper else { return Ok(false) };
        let Some(alarm) = keeper.doctor().alarms().into_iter().find(|alarm| alarm.rule.id == rule_id) else {
            return Ok(false);
        };
        let offers = rule(rule_id).map_or(Ok(Vec::new()), |rule| keeper.doctor().offers(rule))?;
        let offer = offers.iter().find(|offer| Some(offer.cure.id) == cure);
        Ok(keeper.undo(&mut self.trainer, &alarm, offer)?.is_some())
    }
}
