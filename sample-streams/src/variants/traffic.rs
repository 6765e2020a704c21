//! The traffic of a variant, and the zones, lines and rules for it.

use std::fmt::Write as _;

use test_support::Rng;

use super::bridge::Pier;
use super::near_miss::NearMiss;
use super::scale::Scale;
use super::style::{Style, TimeOfDay};
use super::theme::Theme;
use super::vessels::{lamps, length, speeds};
use crate::material::Drawing;
use crate::vessel::{Vessel, Waypoint};

/// Seconds before the first frame and after the last in which vessels sail, so that none starts or stops in view.
const BEYOND_S: f32 = 2.0;
/// Half the height of a zone or line around its lane, as a share of the water.
const LANE_HALF: f32 = 0.085;
const EVERY_DAY: &str = r#"["mon", "tue", "wed", "thu", "fri", "sat", "sun"]"#;

/// Traffic that is being planned.
#[derive(Debug)]
pub(super) struct Traffic<'a> {
    style: &'a Style,
    seconds: f32,
    /// As in [`crate::composition::Composition`].
    pub(super) rows: [f32; 2],
    /// Pixels of a vessel of length 1 at the reference row.
    scale: f32,
    pub(super) pier: Option<Pier>,
    pub(super) vessels: Vec<Vessel>,
    /// Zones, lines and rules in the format of a site file.
    pub(super) site_rules: String,
    pub(super) near_misses: Vec<NearMiss>,
}

impl<'a> Traffic<'a> {
    pub(super) fn new(style: &'a Style, seconds: f32, rng: &mut Rng) -> Self {
        let (shore, foot) = (style.canvas.row(0.0), style.canvas.row(1.0));
        let flat = rng.between(0.4, 0.8);
        let rows = [shore - flat * (foot - shore), shore + 0.8 * (foot - shore)];
        let pier = (style.theme == Theme::Bridge).then(|| {
            let (middle, half) = (rng.between(0.43, 0.57), rng.between(0.065, 0.09));
            [style.canvas.column(middle - half), style.canvas.column(middle + half)]
        });
        let scale = style.canvas.unit
            * match style.theme {
                Theme::Bridge => rng.between(0.6, 0.85),
                // Large enough that a gull is more than a dot.
                Theme::Birds => rng.between(1.6, 2.2),
                _ => rng.between(0.62, 1.1),
            };
        let (vessels, near_misses) = (Vec::new(), Vec::new());
        Self { style, seconds, rows, scale, pier, vessels, site_rules: String::new(), near_misses }
    }

    /// The scale of the picture.
    pub(super) fn scale(&self) -> Scale {
        Scale::new(self.rows, length(Drawing::Rib) * self.scale)
    }

    /// Length of a vessel at a row, in pixels.
    pub(super) fn length_at(&self, drawing: Drawing, row: f32) -> f32 {
        length(drawing) * self.scale * (row - self.rows[0]) / (self.rows[1] - self.rows[0])
    }

    fn any_drawing(&self, rng: &mut Rng) -> Drawing {
        match self.style.theme {
            Theme::Ribs => rng.one_of([Drawing::Rib, Drawing::Rib, Drawing::Rib, Drawing::Launch]),
            Theme::Birds => rng.one_of([Drawing::Rib, Drawing::Launch, Drawing::Yacht, Drawing::Cutter]),
            Theme::Bridge => {
                rng.one_of([Drawing::Launch, Drawing::Cutter, Drawing::Tug, Drawing::Yacht, Drawing::Launch])
            }
            _ => rng.one_of([
                Drawing::Tug,
                Drawing::Launch,
                Drawing::Cutter,
                Drawing::Trawler,
                Drawing::Yacht,
                Drawing::Coaster,
                Drawing::Launch,
                Drawing::Rib,
            ]),
        }
    }

    /// Adds a vessel and gives its number.
    fn add(&mut self, drawing: Drawing, route: &[(f32, f32, f32)], to_right: bool, rng: &mut Rng) -> u32 {
        let id = self.vessels.len() as u32 + 1;
        let paint = rng.between(0.8, 1.1);
        let tint = [0; 3].map(|_| paint * rng.between(0.94, 1.06));
        let lit = self.style.light != TimeOfDay::Day && (route.len() > 1 || rng.chance(0.6));
        self.vessels.push(Vessel {
            id,
            drawing,
            length: length(drawing) * self.scale,
            tint,
            route: route.iter().map(|&(at, x, y)| Waypoint { at, x, y }).collect(),
            to_right,
            lamps: if lit { lamps(drawing, to_right) } else { Vec::new() },
        });
        id
    }

    /// A random speed of a vessel at a row, in pixels a second, at most `most`.
    fn speed(&self, drawing: Drawing, row: f32, most: f32, rng: &mut Rng) -> f32 {
        let [slow, fast] = speeds(drawing);
        (self.length_at(drawing, row) * rng.between(slow, fast)).min(most)
    }

    /// Adds a vessel that sails straight on and is at column `x` at second `at`; `way` is 1 to the right, -1 to the left.
    fn pass(
        &mut self,
        drawing: Drawing,
        depth: f32,
        way: f32,
        (at, x): (f32, f32),
        speed: f32,
        rng: &mut Rng,
    ) -> u32 {
        let row = |this: &Self, rng: &mut Rng| this.style.canvas.row(depth + rng.between(-0.012, 0.012));
        let rows = [row(self, rng), row(self, rng)];
        let [first, last] = [-BEYOND_S, self.seconds + BEYOND_S];
        let column = |second: f32| x + way * speed * (second - at);
        let route = [(first, column(first), rows[0]), (last, column(last), rows[1])];
        self.add(drawing, &route, way > 0.0, rng)
    }

    /// Adds a vessel that sails along a lane at a random time.
    pub(super) fn passer(&mut self, depth: f32, rng: &mut Rng) -> u32 {
        let drawing = self.any_drawing(rng);
        let speed = self.speed(drawing, self.style.canvas.row(depth), f32::MAX, rng);
        let way = rng.one_of([-1.0, 1.0]);
        let at = (rng.unit_f32() * self.seconds, self.style.canvas.column(rng.between(0.3, 0.7)));
        self.pass(drawing, depth + rng.between(-0.03, 0.03), way, at, speed, rng)
    }

    /// Adds vessels along the quay, none of them between the columns `clear`, in shares of the picture.
    pub(super) fn moor(&mut self, count: usize, clear: [f32; 2], rng: &mut Rng) -> Vec<u32> {
        let mut moored = Vec::new();
        let mut x = rng.between(0.0, 0.08);
        while moored.len() < count && x < 1.0 {
            let drawing = rng.one_of([
                Drawing::Launch,
                Drawing::Yacht,
                Drawing::Cutter,
                Drawing::Trawler,
                Drawing::Tug,
                Drawing::Coaster,
            ]);
            let row = self.style.canvas.row(rng.between(0.022, 0.05));
            let half = self.length_at(drawing, row) / self.style.canvas.size.0 as f32 * 0.5;
            if x + half * 2.0 < clear[0] || x > clear[1] {
                let column = self.style.canvas.column(x + half);
                let to_right = rng.chance(0.5);
                moored.push(self.add(drawing, &[(0.0, column, row)], to_right, rng));
            }
            x += half * 2.0 + rng.between(0.008, 0.08);
        }
        moored
    }

    /// The column of a line, or of a zone's first edge, for vessels from the left (`way` 1) or from the right (`way` -1).
    fn edge(&self, way: f32, far: [f32; 2], rng: &mut Rng) -> f32 {
        let share = |column: f32| self.style.canvas.share(column, 0.0)[0];
        match self.pier {
            Some([_, right]) if way > 0.0 => share(right) + rng.between(0.12, 0.17),
            Some([left, _]) => share(left) - rng.between(0.12, 0.17),
            None if way > 0.0 => rng.between(far[0], far[1]),
            None => 1.0 - rng.between(far[0], far[1]),
        }
    }

    /// Adds a line across a lane, a vessel that crosses it in the direction that counts and, often, one in the other
    /// direction.
    pub(super) fn crossing(&mut self, depth: f32, rng: &mut Rng) {
        let way = rng.one_of([-1.0, 1.0]);
        let x = self.edge(way, [0.36, 0.62], rng);
        let (column, row) = (self.style.canvas.column(x), self.style.canvas.row(depth));
        let lean = rng.between(-0.02, 0.02);
        let near = self.style.canvas.share(column, self.style.canvas.row(depth + LANE_HALF));
        let far = self.style.canvas.share(column, self.style.canvas.row(depth - LANE_HALF));
        let direction = if way > 0.0 { "left-to-right" } else { "right-to-left" };
        self.write(format_args!(
            "# From the near end to the far end.\n[[line]]\nid = \"harbour-mouth\"\nname = \"Harbour mouth\"\n\
             camera = \"quay\"\nfrom = [{:.4}, {:.4}]\nto = [{:.4}, {:.4}]\n\n[[rule]]\nid = \"inbound\"\n\
             name = \"Inbound over the harbour mouth\"\nkind = \"crossing\"\nline = \"harbour-mouth\"\n\
             direction = \"{direction}\"\ndead_band = 0.01\nseverity = \"warning\"\n\
             clear = \"3s\"\ncooldown = \"20s\"\n\n",
            near[0] - lean,
            near[1],
            far[0] + lean,
            far[1]
        ));
        let (drawing, other) = (self.any_drawing(rng), self.any_drawing(rng));
        let fastest = 0.2 * self.style.canvas.size.0 as f32;
        let speed = self.speed(drawing, row, fastest, rng);
        let at = rng.between(0.3, 0.72) * self.seconds;
        self.pass(drawing, depth + 0.02, way, (at, column), speed, rng);
        if rng.chance(0.65) {
            let speed = self.speed(other, row, fastest, rng);
            let at = rng.between(0.25, 0.8) * self.seconds;
            let vessel = self.pass(other, depth - 0.03, -way, (at, column), speed, rng);
            self.near_miss("inbound", vessel, "it crosses the line in the other direction");
        }
    }

    /// Adds a zone on a lane, with a rule of kind `presence` or `entry`, and a vessel that sails through it.
    pub(super) fn visit(&mut self, depth: f32, entry: bool, rng: &mut Rng) {
        let way = rng.one_of([-1.0, 1.0]);
        let drawing = self.any_drawing(rng);
        let width = self.style.canvas.size.0 as f32;
        let speed = self.speed(drawing, self.style.canvas.row(depth), 0.1 * width, rng);
        let edge = self.edge(way, [0.28, 0.5], rng);
        let broad = (speed * rng.between(4.0, 6.0) / width).clamp(0.18, 0.42);
        let end = (edge + way * broad).clamp(0.04, 0.96);
        let (id, name) = if entry { ("fuel-berth", "Fuel berth") } else { ("inner-basin", "Inner basin") };
        self.zone(id, name, [edge.min(end), edge.max(end)], [depth - LANE_HALF, depth + LANE_HALF], rng);
        let rule = format!("{id}-{}", if entry { "entry" } else { "passage" });
        let by_day = self.style.light == TimeOfDay::Day;
        let live = entry || rng.chance(0.75);
        let hours = if by_day == live {
            "from = \"07:00\", to = \"19:00\""
        } else {
            "from = \"21:00\", to = \"05:30\""
        };
        let schedule =
            if entry { String::new() } else { format!("schedule = [{{ days = {EVERY_DAY}, {hours} }}]\n") };
        let kind = if entry { "entry" } else { "presence" };
        self.rule(&rule, name, kind, id, &schedule);
        let at = rng.between(0.2, 0.45) * self.seconds;
        let vessel = self.pass(drawing, depth, way, (at, self.style.canvas.column(edge)), speed, rng);
        if !live {
            self.near_miss(&rule, vessel, "the rule is not active at this hour");
        }
    }

    /// Adds a zone, a vessel that stays in it too long and, often, one that passes through quickly.
    pub(super) fn stay(&mut self, depth: f32, rng: &mut Rng) {
        let way = rng.one_of([-1.0, 1.0]);
        let drawing = match self.any_drawing(rng) {
            Drawing::Coaster => Drawing::Cutter,
            other => other,
        };
        let width = self.style.canvas.size.0 as f32;
        let row = self.style.canvas.row(depth);
        let speed = self.speed(drawing, row, 0.09 * width, rng).max(0.035 * width);
        let edge = self.edge(way, [0.3, 0.5], rng);
        let middle = edge + way * 0.13;
        let end = (edge + way * 0.27).clamp(0.04, 0.96);
        let within = [edge.min(end), edge.max(end)];
        self.zone("anchorage", "Anchorage", within, [depth - LANE_HALF, depth + LANE_HALF], rng);
        self.rule(
            "anchorage-overstay",
            "Too long in the anchorage",
            "dwell",
            "anchorage",
            "longer_than = \"6s\"\n",
        );
        let stops = (rng.between(0.14, 0.2) * self.seconds) + 0.1 * width / speed;
        let leaves = if rng.chance(0.5) { stops + rng.between(8.0, 10.0) } else { self.seconds };
        let column = self.style.canvas.column(middle);
        let from = column - way * speed * (stops + BEYOND_S);
        let to = column + way * speed * (self.seconds + BEYOND_S - leaves).max(0.0);
        let row = row + rng.between(-2.0, 2.0) * self.style.canvas.unit;
        let route = [
            (-BEYOND_S, from, row),
            (stops, column, row),
            (leaves, column, row),
            (self.seconds + BEYOND_S, to, row),
        ];
        self.add(drawing, &route, way > 0.0, rng);
        if rng.chance(0.5) {
            let fast = 0.27 * width / rng.between(1.8, 3.4);
            let at = (rng.between(0.3, 0.8) * self.seconds, column);
            let vessel = self.pass(Drawing::Rib, depth + 0.04, -way, at, fast, rng);
            self.near_miss("anchorage-overstay", vessel, "it passes through without staying");
        }
    }

    /// Adds berths with moored vessels, and a vessel that comes to moor beside them.
    pub(super) fn berths(&mut self, rng: &mut Rng) {
        let gap = rng.between(0.3, 0.6);
        let moored = self.moor(12, [gap - 0.03, gap + 0.03], rng);
        self.zone("berths", "Berths", [0.16, 0.84], [-0.03, 0.125], rng);
        self.rule("berths-entry", "Berths entered", "entry", "berths", "");
        for vessel in moored {
            self.near_miss("berths-entry", vessel, "it was there before the clip began");
        }
        let way = rng.one_of([-1.0, 1.0]);
        let arrives = rng.between(0.4, 0.6) * self.seconds;
        let canvas = self.style.canvas;
        let start = gap - way * rng.between(0.25, 0.34);
        let quay = canvas.row(0.072);
        let route = [
            (-BEYOND_S, canvas.column(start), canvas.row(0.26)),
            (arrives, canvas.column(gap), quay),
            (self.seconds + BEYOND_S, canvas.column(gap + 0.01), quay),
        ];
        let drawing = rng.one_of([Drawing::Launch, Drawing::Cutter, Drawing::Tug]);
        self.add(drawing, &route, way > 0.0, rng);
    }

    fn near_miss(&mut self, rule: &str, vessel: u32, why: &'static str) {
        self.near_misses.push(NearMiss { rule: rule.to_owned(), vessel, why });
    }

    /// Adds a zone between two columns, as shares of the picture, and two depths. Its corners are slightly off.
    fn zone(&mut self, id: &str, name: &str, columns: [f32; 2], depths: [f32; 2], rng: &mut Rng) {
        let canvas = self.style.canvas;
        let mut corner = |x: f32, depth: f32| {
            let [_, y] = canvas.share(0.0, canvas.row(depth));
            format!("[{:.4}, {:.4}]", x + rng.between(-0.008, 0.008), y)
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
        let _ok = self.site_rules.write_fmt(text);
    }
}
