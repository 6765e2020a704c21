//! Plans the traffic of a variant: draws it at random until its signals are beyond doubt.

use anyhow::{Result, bail};
use test_support::Rng;

use super::bridge::Pier;
use super::near_miss::NearMiss;
use super::scale::Scale;
use super::style::Style;
use super::theme::Theme;
use super::traffic::Traffic;
use super::variant::Variant;
use crate::oracle::{self, Signal};
use crate::site::{Direction, RuleKind, Site};
use crate::truth::TruthBox;
use crate::vessel::Vessel;

/// The traffic of a variant, and the zones, lines and rules for it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) vessels: Vec<Vessel>,
    /// As in [`crate::composition::Composition`].
    pub(super) rows: [f32; 2],
    pub(super) scale: Scale,
    pub(super) pier: Option<Pier>,
    /// Zones, lines and rules of the site file.
    pub(super) site_rules: String,
    pub(super) near_misses: Vec<NearMiss>,
}

/// Attempts before the variant fails.
const ATTEMPTS: usize = 400;
/// Distances from the quay at which vessels sail, as shares of the water.
const LANES: [f32; 4] = [0.16, 0.38, 0.61, 0.84];

/// Traffic for `variant` all of whose signals are robust.
pub(super) fn plan(variant: &Variant, style: &Style, rng: &mut Rng) -> Result<Plan> {
    for _ in 0..ATTEMPTS {
        let mut traffic = random_traffic(variant, style, rng);
        let check = SignalCheck::new(variant, style, &traffic)?;
        let Some(mut signals) = check.robust_signals(&traffic.vessels)? else { continue };
        if variant.theme == Theme::Crossing {
            let more = 4 + (rng.unit_f32() * 4.0) as usize;
            for _ in 0..more * 6 {
                let before = traffic.vessels.len();
                traffic.passer(rng.one_of(LANES), rng);
                match check.robust_signals(&traffic.vessels)? {
                    Some(robust) => signals = robust,
                    None => traffic.vessels.truncate(before),
                }
                if traffic.vessels.len() >= 5 + more {
                    break;
                }
            }
        }
        let is_missed =
            |miss: &NearMiss| !signals.iter().any(|s| s.rule == miss.rule && s.vessel == miss.vessel);
        if signals.len() < 2 || !traffic.near_misses.iter().all(is_missed) {
            continue;
        }
        let passing = check.passing_beside(&traffic, &signals)?;
        traffic.near_misses.extend(passing);
        return Ok(Plan {
            scale: traffic.scale(),
            vessels: traffic.vessels,
            rows: traffic.rows,
            pier: traffic.pier,
            site_rules: traffic.site_rules,
            near_misses: traffic.near_misses,
        });
    }
    bail!(
        "{}: no traffic of {} seconds has signals that are beyond doubt; make the variant longer",
        variant.id(),
        variant.seconds
    )
}

/// Traffic at random; its signals may be in doubt.
fn random_traffic<'a>(variant: &Variant, style: &'a Style, rng: &mut Rng) -> Traffic<'a> {
    let mut traffic = Traffic::new(style, variant.seconds as f32, rng);
    let mut lanes = LANES.map(|depth| depth + rng.between(-0.02, 0.02)).to_vec();
    let mut kinds = [RuleKind::Crossing, RuleKind::Entry, RuleKind::Dwell, RuleKind::Presence];
    rng.shuffle(&mut kinds);
    if variant.theme == Theme::Fleet {
        traffic.berths(rng);
        lanes.remove(0);
    } else {
        let moored = (rng.unit_f32() * 3.5) as usize;
        traffic.moor(moored, [2.0, 2.0], rng);
    }
    let busy = match variant.theme {
        Theme::Crossing => 4,
        Theme::Fleet => 2,
        _ => 2 + (rng.unit_f32() * 2.0) as usize,
    };
    rng.shuffle(&mut lanes);
    for (&depth, kind) in lanes.iter().zip(kinds).take(busy) {
        match kind {
            RuleKind::Crossing => traffic.crossing(depth, rng),
            RuleKind::Entry => traffic.visit(depth, true, rng),
            RuleKind::Presence => traffic.visit(depth, false, rng),
            RuleKind::Dwell => traffic.stay(depth, rng),
        }
    }
    if let Some(&depth) = lanes.get(busy) {
        traffic.passer(depth, rng);
    }
    traffic
}

/// Checks the signals of traffic with the oracle, from the planned positions of the vessels.
struct SignalCheck<'a> {
    variant: &'a Variant,
    style: &'a Style,
    site: Site,
    pier: Option<Pier>,
}

/// A deviation from the plan that may not change a robust signal.
#[derive(Clone, Copy, Default)]
struct Deviation {
    /// Error of the waterline point, as shares of the picture.
    off: [f32; 2],
    /// Seconds that rules wait longer.
    wait: f64,
    /// Seconds in view before a vessel is detected. It is not detected behind the pier and half of these seconds after it.
    undetected: f32,
}

const DEVIATIONS: [Deviation; 7] = [
    Deviation { off: [0.014, 0.0], wait: 0.0, undetected: 0.0 },
    Deviation { off: [-0.014, 0.0], wait: 0.0, undetected: 0.0 },
    Deviation { off: [0.0, 0.022], wait: 0.0, undetected: 0.0 },
    Deviation { off: [0.0, -0.022], wait: 0.0, undetected: 0.0 },
    Deviation { off: [0.0, 0.0], wait: 1.5, undetected: 0.0 },
    Deviation { off: [0.0, 0.0], wait: -1.5, undetected: 0.0 },
    Deviation { off: [0.0, 0.0], wait: 0.0, undetected: 2.2 },
];

impl<'a> SignalCheck<'a> {
    fn new(variant: &'a Variant, style: &'a Style, traffic: &Traffic<'_>) -> Result<Self> {
        Ok(Self { variant, style, site: toml::from_str(&traffic.site_rules)?, pier: traffic.pier })
    }

    /// The signals of the traffic, if the same vessels raise the same signals under every deviation.
    fn robust_signals(&self, vessels: &[Vessel]) -> Result<Option<Vec<Signal>>> {
        let signals = self.signals(vessels, Deviation::default())?;
        let rules_and_vessels = |signals: &[Signal]| {
            let mut all: Vec<(String, u32)> = signals.iter().map(|s| (s.rule.clone(), s.vessel)).collect();
            all.sort();
            all
        };
        let planned = rules_and_vessels(&signals);
        for deviation in DEVIATIONS {
            if rules_and_vessels(&self.signals(vessels, deviation)?) != planned {
                return Ok(None);
            }
        }
        Ok(Some(signals))
    }

    fn signals(&self, vessels: &[Vessel], deviation: Deviation) -> Result<Vec<Signal>> {
        let mut site = self.site.clone();
        for rule in &mut site.rules {
            for wait in [&mut rule.confirm, &mut rule.longer_than] {
                if let Some(text) = wait {
                    *wait = Some(format!("{}s", (crate::site::seconds(text)? + deviation.wait).max(0.0)));
                }
            }
        }
        let frames = self.frames(vessels, deviation);
        oracle::signals(&site, "quay", &frames, self.variant.size, self.variant.fps(), self.style.start)
    }

    /// The planned positions of the vessels, as boxes of a few pixels above their waterline points.
    fn frames(&self, vessels: &[Vessel], deviation: Deviation) -> Vec<Vec<TruthBox>> {
        let (width, height) = (self.variant.size.0 as f32, self.variant.size.1 as f32);
        let mut frames = vec![Vec::new(); self.variant.frames() as usize];
        for vessel in vessels {
            let moored = vessel.route.len() == 1;
            let mut detected_from = None;
            for (n, frame) in frames.iter_mut().enumerate() {
                let second = n as f32 / self.variant.fps() as f32;
                let (x, y) = vessel.position(second);
                let [sx, sy] = self.style.canvas.share(x, y);
                if !(-0.02..=1.02).contains(&sx) {
                    continue;
                }
                let hidden = self.pier.is_some_and(|[left, right]| (left - 25.0..right + 25.0).contains(&x));
                let first =
                    *detected_from.get_or_insert(second + if moored { 0.0 } else { deviation.undetected });
                if hidden && deviation.undetected > 0.0 {
                    detected_from = Some(second + deviation.undetected / 2.0);
                    continue;
                }
                if second < first {
                    continue;
                }
                let at = [(sx + deviation.off[0]) * width, (sy + deviation.off[1]) * height];
                let (left, top) = (at[0].round() as i32 - 4, at[1].round() as i32 - 8);
                frame.push(TruthBox { id: vessel.id, left, top, width: 8, height: 8, visibility: 1.0 });
            }
        }
        frames
    }

    /// Vessels that pass a zone or a line at another distance from the quay.
    fn passing_beside(&self, traffic: &Traffic<'_>, signals: &[Signal]) -> Result<Vec<NearMiss>> {
        let frames = self.frames(&traffic.vessels, Deviation::default());
        let mut all = Vec::new();
        for rule in &self.site.rules {
            let zone = self.site.zones.iter().find(|z| Some(&z.id) == rule.zone.as_ref());
            let line = self.site.lines.iter().find(|l| Some(&l.id) == rule.line.as_ref());
            let columns: Vec<f64> = match (zone, line) {
                (Some(zone), _) => zone.polygon.iter().map(|p| p[0]).collect(),
                (_, Some(line)) => vec![line.from[0], line.to[0]],
                (None, None) => bail!("{}: a rule without a zone or a line", self.variant.id()),
            };
            let (from, to) = columns.iter().fold((1.0f64, 0.0f64), |(a, b), x| (a.min(*x), b.max(*x)));
            for vessel in traffic.vessels.iter().filter(|v| v.route.len() > 1) {
                let known = signals.iter().any(|s| s.rule == rule.id && s.vessel == vessel.id)
                    || traffic.near_misses.iter().any(|m| m.rule == rule.id && m.vessel == vessel.id);
                let xs = frames.iter().flatten().filter(|s| s.id == vessel.id);
                let xs = xs.map(|s| s.waterline(self.variant.size)[0]);
                let (low, high) = xs.fold((1.0f64, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
                if known || low > from || high < to {
                    continue;
                }
                let why = match (rule.kind, rule.direction) {
                    (RuleKind::Crossing, Some(Direction::LeftToRight | Direction::RightToLeft)) => {
                        "it passes beyond the end of the line, or in the other direction"
                    }
                    _ => "it passes beside the zone",
                };
                all.push(NearMiss { rule: rule.id.clone(), vessel: vessel.id, why });
            }
        }
        Ok(all)
    }
}
