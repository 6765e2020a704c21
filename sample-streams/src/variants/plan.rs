//! The traffic of a variant, tried until nobody would argue over its signals.

use anyhow::{Result, bail};

use super::bridge::Pier;
use super::look::Look;
use super::scale::Scale;
use super::traffic::Traffic;
use super::{NearMiss, Theme, Variant};
use crate::noise::Chance;
use crate::oracle::{self, Signal};
use crate::site::{Direction, Kind, Site};
use crate::truth::Seen;
use crate::vessel::Vessel;

/// Who sails, and what is drawn for them.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) vessels: Vec<Vessel>,
    /// As in [`crate::stage::Setting`].
    pub(super) rows: [f32; 2],
    pub(super) scale: Scale,
    pub(super) pier: Option<Pier>,
    /// Zones, lines and rules of the site file.
    pub(super) drawn: String,
    pub(super) near_misses: Vec<NearMiss>,
}

/// So many plans are drawn up before it is said that the theme leaves none.
const ATTEMPTS: usize = 400;
/// The distances from the quay at which they sail, as shares of the water.
const LANES: [f32; 4] = [0.16, 0.38, 0.61, 0.84];
/// Traffic for `variant`, every signal of which is clear-cut.
pub(super) fn plan(variant: &Variant, look: &Look, chance: &mut Chance) -> Result<Plan> {
    for _ in 0..ATTEMPTS {
        let mut traffic = draw_up(variant, look, chance);
        let judge = Judge::new(variant, look, &traffic)?;
        let Some(mut signals) = judge.clear_cut(&traffic.vessels)? else { continue };
        if variant.theme == Theme::Crossing {
            let more = 4 + (chance.unit() * 4.0) as usize;
            for _ in 0..more * 6 {
                let before = traffic.vessels.len();
                traffic.passer(chance.one_of(LANES), chance);
                match judge.clear_cut(&traffic.vessels)? {
                    Some(now) => signals = now,
                    None => traffic.vessels.truncate(before),
                }
                if traffic.vessels.len() >= 5 + more {
                    break;
                }
            }
        }
        let spared =
            |miss: &NearMiss| !signals.iter().any(|s| s.rule == miss.rule && s.vessel == miss.vessel);
        if signals.len() < 2 || !traffic.near_misses.iter().all(spared) {
            continue;
        }
        let beside = judge.beside(&traffic, &signals)?;
        traffic.near_misses.extend(beside);
        return Ok(Plan {
            scale: traffic.scale(),
            vessels: traffic.vessels,
            rows: traffic.rows,
            pier: traffic.pier,
            drawn: traffic.drawn,
            near_misses: traffic.near_misses,
        });
    }
    bail!(
        "{}: in {} seconds there is no traffic whose signals are beyond doubt: make it longer",
        variant.id(),
        variant.seconds
    )
}

/// One plan, good or not.
fn draw_up<'a>(variant: &Variant, look: &'a Look, chance: &mut Chance) -> Traffic<'a> {
    let mut traffic = Traffic::new(look, variant.seconds as f32, chance);
    let mut lanes = LANES.map(|depth| depth + chance.between(-0.02, 0.02)).to_vec();
    let mut kinds = [Kind::Crossing, Kind::Entry, Kind::Dwell, Kind::Presence];
    chance.shuffle(&mut kinds);
    if variant.theme == Theme::Fleet {
        traffic.berths(chance);
        lanes.remove(0);
    } else {
        let moored = (chance.unit() * 3.5) as usize;
        traffic.moor(moored, [2.0, 2.0], chance);
    }
    let busy = match variant.theme {
        Theme::Crossing => 4,
        Theme::Fleet => 2,
        _ => 2 + (chance.unit() * 2.0) as usize,
    };
    chance.shuffle(&mut lanes);
    for (&depth, kind) in lanes.iter().zip(kinds).take(busy) {
        match kind {
            Kind::Crossing => traffic.crossing(depth, chance),
            Kind::Entry => traffic.visit(depth, true, chance),
            Kind::Presence => traffic.visit(depth, false, chance),
            Kind::Dwell => traffic.stay(depth, chance),
        }
    }
    if let Some(&depth) = lanes.get(busy) {
        traffic.passer(depth, chance);
    }
    traffic
}

/// Judges traffic by the oracle, on where the vessels are meant to be.
struct Judge<'a> {
    variant: &'a Variant,
    look: &'a Look,
    site: Site,
    pier: Option<Pier>,
}

/// What may be otherwise than planned without changing a signal that is clear-cut.
#[derive(Clone, Copy, Default)]
struct Doubt {
    /// The waterline point is off by these shares of the picture.
    off: [f32; 2],
    /// The rules wait so many seconds longer.
    wait: f64,
    /// Nobody is known before so many seconds in sight, nor while the pier hides them and half of these seconds after.
    unknown: f32,
}

const DOUBTS: [Doubt; 7] = [
    Doubt { off: [0.014, 0.0], wait: 0.0, unknown: 0.0 },
    Doubt { off: [-0.014, 0.0], wait: 0.0, unknown: 0.0 },
    Doubt { off: [0.0, 0.022], wait: 0.0, unknown: 0.0 },
    Doubt { off: [0.0, -0.022], wait: 0.0, unknown: 0.0 },
    Doubt { off: [0.0, 0.0], wait: 1.5, unknown: 0.0 },
    Doubt { off: [0.0, 0.0], wait: -1.5, unknown: 0.0 },
    Doubt { off: [0.0, 0.0], wait: 0.0, unknown: 2.2 },
];

impl<'a> Judge<'a> {
    fn new(variant: &'a Variant, look: &'a Look, traffic: &Traffic<'_>) -> Result<Self> {
        Ok(Self { variant, look, site: toml::from_str(&traffic.drawn)?, pier: traffic.pier })
    }

    /// The signals of the traffic, if the same vessels raise the same ones under every doubt.
    fn clear_cut(&self, vessels: &[Vessel]) -> Result<Option<Vec<Signal>>> {
        let signals = self.signals(vessels, Doubt::default())?;
        let whose = |signals: &[Signal]| {
            let mut all: Vec<(String, u32)> = signals.iter().map(|s| (s.rule.clone(), s.vessel)).collect();
            all.sort();
            all
        };
        let planned = whose(&signals);
        for doubt in DOUBTS {
            if whose(&self.signals(vessels, doubt)?) != planned {
                return Ok(None);
            }
        }
        Ok(Some(signals))
    }

    fn signals(&self, vessels: &[Vessel], doubt: Doubt) -> Result<Vec<Signal>> {
        let mut site = self.site.clone();
        for rule in &mut site.rules {
            for wait in [&mut rule.confirm, &mut rule.longer_than] {
                if let Some(text) = wait {
                    *wait = Some(format!("{}s", (crate::site::seconds(text)? + doubt.wait).max(0.0)));
                }
            }
        }
        let frames = self.frames(vessels, doubt);
        oracle::signals(&site, "quay", &frames, self.variant.size, self.variant.fps(), self.look.start)
    }

    /// Where the vessels are meant to be, as boxes of a few pixels over their waterline points.
    fn frames(&self, vessels: &[Vessel], doubt: Doubt) -> Vec<Vec<Seen>> {
        let (width, height) = (self.variant.size.0 as f32, self.variant.size.1 as f32);
        let mut frames = vec![Vec::new(); self.variant.frames() as usize];
        for vessel in vessels {
            let moored = vessel.voyage.len() == 1;
            let mut known_from = None;
            for (n, frame) in frames.iter_mut().enumerate() {
                let second = n as f32 / self.variant.fps() as f32;
                let (x, y) = vessel.place(second);
                let [sx, sy] = self.look.canvas.share(x, y);
                if !(-0.02..=1.02).contains(&sx) {
                    continue;
                }
                let hidden = self.pier.is_some_and(|[left, right]| (left - 25.0..right + 25.0).contains(&x));
                let first = *known_from.get_or_insert(second + if moored { 0.0 } else { doubt.unknown });
                if hidden && doubt.unknown > 0.0 {
                    known_from = Some(second + doubt.unknown / 2.0);
                    continue;
                }
                if second < first {
                    continue;
                }
                let at = [(sx + doubt.off[0]) * width, (sy + doubt.off[1]) * height];
                let (left, top) = (at[0].round() as i32 - 4, at[1].round() as i32 - 8);
                frame.push(Seen { id: vessel.id, left, top, width: 8, height: 8, visibility: 1.0 });
            }
        }
        frames
    }

    /// Who passes a zone or a line at another distance from the quay.
    fn beside(&self, traffic: &Traffic<'_>, signals: &[Signal]) -> Result<Vec<NearMiss>> {
        let frames = self.frames(&traffic.vessels, Doubt::default());
        let mut all = Vec::new();
        for rule in &self.site.rules {
            let zone = self.site.zones.iter().find(|z| Some(&z.id) == rule.zone.as_ref());
            let line = self.site.lines.iter().find(|l| Some(&l.id) == rule.line.as_ref());
            let columns: Vec<f64> = match (zone, line) {
                (Some(zone), _) => zone.polygon.iter().map(|p| p[0]).collect(),
                (_, Some(line)) => vec![line.from[0], line.to[0]],
                (None, None) => bail!("{}: a rule without a place", self.variant.id()),
            };
            let (from, to) = columns.iter().fold((1.0f64, 0.0f64), |(a, b), x| (a.min(*x), b.max(*x)));
            for vessel in traffic.vessels.iter().filter(|v| v.voyage.len() > 1) {
                let known = signals.iter().any(|s| s.rule == rule.id && s.vessel == vessel.id)
                    || traffic.near_misses.iter().any(|m| m.rule == rule.id && m.vessel == vessel.id);
                let xs = frames.iter().flatten().filter(|s| s.id == vessel.id);
                let xs = xs.map(|s| s.waterline(self.variant.size)[0]);
                let (low, high) = xs.fold((1.0f64, 0.0f64), |(a, b), x| (a.min(x), b.max(x)));
                if known || low > from || high < to {
                    continue;
                }
                let why = match (rule.kind, rule.direction) {
                    (Kind::Crossing, Some(Direction::LeftToRight | Direction::RightToLeft)) => {
                        "it passes beyond the end of the line, or the way that does not count"
                    }
                    _ => "it passes beside the zone",
                };
                all.push(NearMiss { rule: rule.id.clone(), vessel: vessel.id, why });
            }
        }
        Ok(all)
    }
}
