//! Who sails where in a variant, and the zones, lines and rules that are drawn for it.

use std::fmt::Write as _;

use super::bridge::Pier;
use super::look::{Hour, Look};
use super::scale::Scale;
use super::{NearMiss, Theme};
use crate::material::Art;
use crate::noise::Chance;
use crate::vessel::{Lamp, Mark, Vessel};

/// Marks before the first picture and after the last, so that nobody starts or stops in sight of the camera.
const BEYOND_S: f32 = 2.0;
/// Half the height of a zone or line round its lane, as a share of the water.
const LANE_HALF: f32 = 0.085;
const EVERY_DAY: &str = r#"["mon", "tue", "wed", "thu", "fri", "sat", "sun"]"#;

/// Traffic in the making.
#[derive(Debug)]
pub(super) struct Traffic<'a> {
    look: &'a Look,
    seconds: f32,
    /// As in [`crate::stage::Setting`].
    pub(super) rows: [f32; 2],
    /// Pixels of a vessel of length 1 at the reference row.
    scale: f32,
    pub(super) pier: Option<Pier>,
    pub(super) vessels: Vec<Vessel>,
    /// Zones, lines and rules, as a site file has them.
    pub(super) drawn: String,
    pub(super) near_misses: Vec<NearMiss>,
}

/// Length of a vessel in the picture; not to scale: beside ships small ones would be dots.
fn length(art: Art) -> f32 {
    match art {
        Art::Coaster => 330.0,
        Art::Tug => 205.0,
        Art::Trawler => 190.0,
        Art::Schooner | Art::Cutter => 170.0,
        Art::Launch => 130.0,
        Art::Yacht => 112.0,
        Art::Rib => 92.0,
    }
}

/// Lengths that it sails in a second: slowest, fastest.
fn pace(art: Art) -> [f32; 2] {
    match art {
        Art::Coaster => [0.13, 0.22],
        Art::Launch => [0.4, 0.75],
        Art::Rib => [1.1, 2.2],
        _ => [0.24, 0.45],
    }
}

impl<'a> Traffic<'a> {
    pub(super) fn new(look: &'a Look, seconds: f32, chance: &mut Chance) -> Self {
        let (shore, foot) = (look.canvas.row(0.0), look.canvas.row(1.0));
        let flat = chance.between(0.4, 0.8);
        let rows = [shore - flat * (foot - shore), shore + 0.8 * (foot - shore)];
        let pier = (look.theme == Theme::Bridge).then(|| {
            let (middle, half) = (chance.between(0.43, 0.57), chance.between(0.065, 0.09));
            [look.canvas.column(middle - half), look.canvas.column(middle + half)]
        });
        let scale = look.canvas.unit
            * match look.theme {
                Theme::Bridge => chance.between(0.6, 0.85),
                // Near enough for a gull to be more than a dot.
                Theme::Birds => chance.between(1.6, 2.2),
                _ => chance.between(0.62, 1.1),
            };
        let (vessels, near_misses) = (Vec::new(), Vec::new());
        Self { look, seconds, rows, scale, pier, vessels, drawn: String::new(), near_misses }
    }

    /// How large a metre is drawn.
    pub(super) fn scale(&self) -> Scale {
        Scale::new(self.rows, length(Art::Rib) * self.scale)
    }

    /// Length in pixels of a vessel on a row.
    pub(super) fn length_at(&self, art: Art, row: f32) -> f32 {
        length(art) * self.scale * (row - self.rows[0]) / (self.rows[1] - self.rows[0])
    }

    fn any_art(&self, chance: &mut Chance) -> Art {
        match self.look.theme {
            Theme::Ribs => chance.one_of([Art::Rib, Art::Rib, Art::Rib, Art::Launch]),
            Theme::Birds => chance.one_of([Art::Rib, Art::Launch, Art::Yacht, Art::Cutter]),
            Theme::Bridge => chance.one_of([Art::Launch, Art::Cutter, Art::Tug, Art::Yacht, Art::Launch]),
            _ => chance.one_of([
                Art::Tug,
                Art::Launch,
                Art::Cutter,
                Art::Trawler,
                Art::Yacht,
                Art::Coaster,
                Art::Launch,
                Art::Rib,
            ]),
        }
    }

    /// Puts a vessel in; its number.
    fn put(&mut self, art: Art, voyage: &[(f32, f32, f32)], to_right: bool, chance: &mut Chance) -> u32 {
        let id = self.vessels.len() as u32 + 1;
        let paint = chance.between(0.8, 1.1);
        let tint = [0; 3].map(|_| paint * chance.between(0.94, 1.06));
        let lit = self.look.light != Hour::Day && (voyage.len() > 1 || chance.odds(0.6));
        self.vessels.push(Vessel {
            id,
            art,
            length: length(art) * self.scale,
            tint,
            voyage: voyage.iter().map(|&(at, x, y)| Mark { at, x, y }).collect(),
            to_right,
            lamps: if lit { lamps(art, to_right) } else { Vec::new() },
        });
        id
    }

    /// A speed of that vessel on a row in pixels a second, at most `most`.
    fn speed(&self, art: Art, row: f32, most: f32, chance: &mut Chance) -> f32 {
        let [slow, fast] = pace(art);
        (self.length_at(art, row) * chance.between(slow, fast)).min(most)
    }

    /// A vessel that sails straight on, at column `x` at second `at`; `way` is 1 to the right and -1 to the left.
    fn pass(
        &mut self,
        art: Art,
        depth: f32,
        way: f32,
        (at, x): (f32, f32),
        speed: f32,
        chance: &mut Chance,
    ) -> u32 {
        let row =
            |this: &Self, chance: &mut Chance| this.look.canvas.row(depth + chance.between(-0.012, 0.012));
        let rows = [row(self, chance), row(self, chance)];
        let [first, last] = [-BEYOND_S, self.seconds + BEYOND_S];
        let column = |second: f32| x + way * speed * (second - at);
        let voyage = [(first, column(first), rows[0]), (last, column(last), rows[1])];
        self.put(art, &voyage, way > 0.0, chance)
    }

    /// Somebody who sails along a lane at any time.
    pub(super) fn passer(&mut self, depth: f32, chance: &mut Chance) -> u32 {
        let art = self.any_art(chance);
        let speed = self.speed(art, self.look.canvas.row(depth), f32::MAX, chance);
        let way = chance.one_of([-1.0, 1.0]);
        let at = (chance.unit() * self.seconds, self.look.canvas.column(chance.between(0.3, 0.7)));
        self.pass(art, depth + chance.between(-0.03, 0.03), way, at, speed, chance)
    }

    /// Vessels along the quay, none of them near `clear`, columns in shares of the picture.
    pub(super) fn moor(&mut self, count: usize, clear: [f32; 2], chance: &mut Chance) -> Vec<u32> {
        let mut moored = Vec::new();
        let mut x = chance.between(0.0, 0.08);
        while moored.len() < count && x < 1.0 {
            let art =
                chance.one_of([Art::Launch, Art::Yacht, Art::Cutter, Art::Trawler, Art::Tug, Art::Coaster]);
            let row = self.look.canvas.row(chance.between(0.022, 0.05));
            let half = self.length_at(art, row) / self.look.canvas.size.0 as f32 * 0.5;
            if x + half * 2.0 < clear[0] || x > clear[1] {
                let column = self.look.canvas.column(x + half);
                let to_right = chance.odds(0.5);
                moored.push(self.put(art, &[(0.0, column, row)], to_right, chance));
            }
            x += half * 2.0 + chance.between(0.008, 0.08);
        }
        moored
    }

    /// Which column a line or the first edge of a zone is at when they come from the left (`way` 1) or the right.
    fn edge(&self, way: f32, far: [f32; 2], chance: &mut Chance) -> f32 {
        let share = |column: f32| self.look.canvas.share(column, 0.0)[0];
        match self.pier {
            Some([_, right]) if way > 0.0 => share(right) + chance.between(0.12, 0.17),
            Some([left, _]) => share(left) - chance.between(0.12, 0.17),
            None if way > 0.0 => chance.between(far[0], far[1]),
            None => 1.0 - chance.between(far[0], far[1]),
        }
    }

    /// A line over a lane, one who crosses it the way that counts and, often, one who crosses it the other way.
    pub(super) fn crossing(&mut self, depth: f32, chance: &mut Chance) {
        let way = chance.one_of([-1.0, 1.0]);
        let x = self.edge(way, [0.36, 0.62], chance);
        let (column, row) = (self.look.canvas.column(x), self.look.canvas.row(depth));
        let lean = chance.between(-0.02, 0.02);
        let near = self.look.canvas.share(column, self.look.canvas.row(depth + LANE_HALF));
        let far = self.look.canvas.share(column, self.look.canvas.row(depth - LANE_HALF));
        let direction = if way > 0.0 { "left-to-right" } else { "right-to-left" };
        self.write(format_args!(
            "# Drawn from the near end to the far end.\n[[line]]\nid = \"harbour-mouth\"\nname = \"Harbour mouth\"\n\
             camera = \"quay\"\nfrom = [{:.4}, {:.4}]\nto = [{:.4}, {:.4}]\n\n[[rule]]\nid = \"inbound\"\n\
             name = \"Inbound over the harbour mouth\"\nkind = \"crossing\"\nline = \"harbour-mouth\"\n\
             direction = \"{direction}\"\ndead_band = 0.01\nseverity = \"warning\"\n\
             clear = \"3s\"\ncooldown = \"20s\"\n\n",
            near[0] - lean,
            near[1],
            far[0] + lean,
            far[1]
        ));
        let (art, other) = (self.any_art(chance), self.any_art(chance));
        let fastest = 0.2 * self.look.canvas.size.0 as f32;
        let speed = self.speed(art, row, fastest, chance);
        let at = chance.between(0.3, 0.72) * self.seconds;
        self.pass(art, depth + 0.02, way, (at, column), speed, chance);
        if chance.odds(0.65) {
            let speed = self.speed(other, row, fastest, chance);
            let at = chance.between(0.25, 0.8) * self.seconds;
            let vessel = self.pass(other, depth - 0.03, -way, (at, column), speed, chance);
            self.spare("inbound", vessel, "it crosses the line the way that does not count");
        }
    }

    /// A zone on a lane that is sailed through: its rule is of kind `presence` or `entry`.
    pub(super) fn visit(&mut self, depth: f32, entry: bool, chance: &mut Chance) {
        let way = chance.one_of([-1.0, 1.0]);
        let art = self.any_art(chance);
        let width = self.look.canvas.size.0 as f32;
        let speed = self.speed(art, self.look.canvas.row(depth), 0.1 * width, chance);
        let edge = self.edge(way, [0.28, 0.5], chance);
        let broad = (speed * chance.between(4.0, 6.0) / width).clamp(0.18, 0.42);
        let end = (edge + way * broad).clamp(0.04, 0.96);
        let (id, name) = if entry { ("fuel-berth", "Fuel berth") } else { ("inner-basin", "Inner basin") };
        self.zone(id, name, [edge.min(end), edge.max(end)], [depth - LANE_HALF, depth + LANE_HALF], chance);
        let rule = format!("{id}-{}", if entry { "entry" } else { "passage" });
        let by_day = self.look.light == Hour::Day;
        let live = entry || chance.odds(0.75);
        let hours = if by_day == live {
            "from = \"07:00\", to = \"19:00\""
        } else {
            "from = \"21:00\", to = \"05:30\""
        };
        let schedule =
            if entry { String::new() } else { format!("schedule = [{{ days = {EVERY_DAY}, {hours} }}]\n") };
        let kind = if entry { "entry" } else { "presence" };
        self.rule(&rule, name, kind, id, &schedule);
        let at = chance.between(0.2, 0.45) * self.seconds;
        let vessel = self.pass(art, depth, way, (at, self.look.canvas.column(edge)), speed, chance);
        if !live {
            self.spare(&rule, vessel, "the rule is not live at this hour");
        }
    }

    /// A zone in which one stays too long, and through which, often, another passes quickly.
    pub(super) fn stay(&mut self, depth: f32, chance: &mut Chance) {
        let way = chance.one_of([-1.0, 1.0]);
        let art = match self.any_art(chance) {
            Art::Coaster => Art::Cutter,
            other => other,
        };
        let width = self.look.canvas.size.0 as f32;
        let row = self.look.canvas.row(depth);
        let speed = self.speed(art, row, 0.09 * width, chance).max(0.035 * width);
        let edge = self.edge(way, [0.3, 0.5], chance);
        let middle = edge + way * 0.13;
        let end = (edge + way * 0.27).clamp(0.04, 0.96);
        let within = [edge.min(end), edge.max(end)];
        self.zone("anchorage", "Anchorage", within, [depth - LANE_HALF, depth + LANE_HALF], chance);
        self.rule(
            "anchorage-overstay",
            "Too long in the anchorage",
            "dwell",
            "anchorage",
            "longer_than = \"6s\"\n",
        );
        let stops = (chance.between(0.14, 0.2) * self.seconds) + 0.1 * width / speed;
        let leaves = if chance.odds(0.5) { stops + chance.between(8.0, 10.0) } else { self.seconds };
        let column = self.look.canvas.column(middle);
        let from = column - way * speed * (stops + BEYOND_S);
        let to = column + way * speed * (self.seconds + BEYOND_S - leaves).max(0.0);
        let row = row + chance.between(-2.0, 2.0) * self.look.canvas.unit;
        let voyage = [
            (-BEYOND_S, from, row),
            (stops, column, row),
            (leaves, column, row),
            (self.seconds + BEYOND_S, to, row),
        ];
        self.put(art, &voyage, way > 0.0, chance);
        if chance.odds(0.5) {
            let fast = 0.27 * width / chance.between(1.8, 3.4);
            let at = (chance.between(0.3, 0.8) * self.seconds, column);
            let vessel = self.pass(Art::Rib, depth + 0.04, -way, at, fast, chance);
            self.spare("anchorage-overstay", vessel, "it passes through without staying");
        }
    }

    /// Berths along the quay with vessels in them, and one that comes to lie before them.
    pub(super) fn berths(&mut self, chance: &mut Chance) {
        let gap = chance.between(0.3, 0.6);
        let moored = self.moor(12, [gap - 0.03, gap + 0.03], chance);
        self.zone("berths", "Berths", [0.16, 0.84], [-0.03, 0.125], chance);
        self.rule("berths-entry", "Berths entered", "entry", "berths", "");
        for vessel in moored {
            self.spare("berths-entry", vessel, "it lay there before the watch began");
        }
        let way = chance.one_of([-1.0, 1.0]);
        let arrives = chance.between(0.4, 0.6) * self.seconds;
        let canvas = self.look.canvas;
        let start = gap - way * chance.between(0.25, 0.34);
        let quay = canvas.row(0.072);
        let voyage = [
            (-BEYOND_S, canvas.column(start), canvas.row(0.26)),
            (arrives, canvas.column(gap), quay),
            (self.seconds + BEYOND_S, canvas.column(gap + 0.01), quay),
        ];
        let art = chance.one_of([Art::Launch, Art::Cutter, Art::Tug]);
        self.put(art, &voyage, way > 0.0, chance);
    }

    fn spare(&mut self, rule: &str, vessel: u32, why: &'static str) {
        self.near_misses.push(NearMiss { rule: rule.to_owned(), vessel, why });
    }

    /// A zone between two columns, as shares of the picture, and two depths; its corners a little askew.
    fn zone(&mut self, id: &str, name: &str, columns: [f32; 2], depths: [f32; 2], chance: &mut Chance) {
        let canvas = self.look.canvas;
        let mut corner = |x: f32, depth: f32| {
            let [_, y] = canvas.share(0.0, canvas.row(depth));
            format!("[{:.4}, {:.4}]", x + chance.between(-0.008, 0.008), y)
        };
        let polygon = [
            corner(columns[0], depths[0]),
            corner(columns[1], depths[0]),
            corner(columns[1], depths[1]),
            corner(columns[0], depths[1]),
        ];
        self.write(format_args!(
            "[[zone]]\nid = \"{id}\"\nname = \"{name}\"\ncamera = \"quay\"\npolygon = [{}]\n\n",
            polygon.join(", ")
        ));
    }

    fn rule(&mut self, id: &str, name: &str, kind: &str, zone: &str, more: &str) {
        self.write(format_args!(
            "[[rule]]\nid = \"{id}\"\nname = \"{name}\"\nkind = \"{kind}\"\nzone = \"{zone}\"\n{more}\
             severity = \"warning\"\nconfirm = \"1s\"\nclear = \"3s\"\ncooldown = \"20s\"\n\n"
        ));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ok = self.drawn.write_fmt(text);
    }
}

/// Masthead and deck lights, and the side light that the camera sees.
fn lamps(art: Art, to_right: bool) -> Vec<Lamp> {
    let (white, warm) = ([255.0, 246.0, 222.0], [255.0, 190.0, 96.0]);
    let side = if to_right { [70.0, 255.0, 130.0] } else { [255.0, 62.0, 44.0] };
    let lamp = |x: f32, y: f32, colour: [f32; 3], glow: f32| Lamp { at: [x, y], colour, glow };
    match art {
        Art::Rib => vec![lamp(0.23, 0.06, white, 0.07), lamp(0.85, 0.5, side, 0.06)],
        Art::Yacht => vec![lamp(0.52, 0.02, white, 0.05), lamp(0.9, 0.84, side, 0.05)],
        Art::Launch => {
            vec![lamp(0.41, 0.06, white, 0.07), lamp(0.5, 0.4, warm, 0.06), lamp(0.9, 0.45, side, 0.05)]
        }
        Art::Coaster => vec![
            lamp(0.12, 0.08, white, 0.05),
            lamp(0.1, 0.4, warm, 0.04),
            lamp(0.55, 0.5, warm, 0.04),
            lamp(0.95, 0.5, side, 0.04),
        ],
        _ => vec![
            lamp(0.5, 0.05, white, 0.08),
            lamp(0.53, 0.43, warm, 0.05),
            lamp(0.92, 0.5, side, 0.05),
            lamp(0.18, 0.6, white, 0.04),
        ],
    }
}
