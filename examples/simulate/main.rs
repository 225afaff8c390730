//! A made-up cluster that runs a plan: stragglers, failing nodes and wall times over a thousand nodes, decided by the real scheduler code.
//!
//!     cargo run --release --example simulate -- [NODES] [TASKS] [SEED]
//!
//! Workers here and in `tamis work` ask the same `engine::schedule::Walk` for their next task and the same `may_begin` whether there is time;
//! only what they see (commit records, claims) and the clock are made up. The same seed gives the same table.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use tamis::engine::schedule::{HELD_LOOKS_MAX, Lease, Next, Sight, Walk, may_begin};

/// What may go wrong.
#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    /// One node in so many is slow ..
    slow_one_in: u64,
    /// .. by this factor.
    slow_factor: u64,
    /// Mean time between two failures of one node, in hours; 0 for never.
    failure_hours: u64,
    /// Wall time of a job, in minutes; 0 for none.
    wall_minutes: u64,
}

const WORLDS: [World; 6] = [
    World { name: "all is well", slow_one_in: 0, slow_factor: 1, failure_hours: 0, wall_minutes: 0 },
    World { name: "1 node in 20 is 3 times slower", slow_one_in: 20, slow_factor: 3, failure_hours: 0, wall_minutes: 0 },
    World { name: "a node fails every 1,000 hours", slow_one_in: 0, slow_factor: 1, failure_hours: 1000, wall_minutes: 0 },
    World { name: "a node fails every 20 hours", slow_one_in: 0, slow_factor: 1, failure_hours: 20, wall_minutes: 0 },
    World { name: "wall time of one hour", slow_one_in: 0, slow_factor: 1, failure_hours: 0, wall_minutes: 60 },
    World { name: "all of it", slow_one_in: 20, slow_factor: 3, failure_hours: 20, wall_minutes: 60 },
];

const STEAL_AFTER_MS: u64 = 300_000;
/// Until a dead node is noticed and its job runs again somewhere: Slurm's usual 300 s, and a queue of two minutes.
const NOTICED_MS: u64 = 300_000;
const QUEUE_MS: u64 = 120_000;
/// A job is warned so long before its wall time.
const WARNING_MS: u64 = 120_000;
/// Starting a worker: program, vocabulary, tables.
const START_MS: u64 = 2_000;

/// splitmix64 (Steele, Lea and Flood 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn one_in(&mut self, many: u64) -> bool {
        many > 0 && self.next().is_multiple_of(many)
    }

    /// Exponential with this mean.
    fn wait(&mut self, mean_ms: f64) -> u64 {
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        (-mean_ms * (1.0 - uniform).ln()) as u64
    }
}

#[derive(Clone, Copy)]
enum Task {
    Open,
    /// Claimed by a lease; from `dead_ms` on nobody touches the claim.
    Held {
        by: u32,
        dead_ms: Option<u64>,
    },
    Done,
}

/// One life of one lease.
struct Worker {
    walk: Walk,
    life: u32,
    begun_ms: u64,
    fails_ms: u64,
    slowness: u64,
    longest: Duration,
    doing: Option<(u32, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// The lease starts anew, on some node.
    Start,
    /// It looks for a task.
    Look,
    /// It finished what it did.
    Finish,
    /// Its node fails, or its wall time is over.
    Die,
}

#[derive(Default)]
struct Sum {
    end_ms: u64,
    useful_ms: u64,
    lost_ms: u64,
    twice: u64,
    stolen: u64,
    restarts: u64,
    looks: u64,
    listings: u64,
}

struct Cluster {
    world: World,
    chance: Chance,
    nodes: u32,
    task_ms: Vec<u64>,
    tasks: Vec<Task>,
    open: usize,
    workers: Vec<Worker>,
    events: BinaryHeap<Reverse<(u64, u32, u32, Event)>>,
    sum: Sum,
}

impl Cluster {
    fn new(world: World, nodes: u32, tasks: u32, seed: u64) -> Cluster {
        let mut chance = Chance(seed);
        // Tasks are packed by bytes: 5 to 10 minutes on a node as it should be.
        let task_ms: Vec<u64> = (0..tasks).map(|_| 300_000 + chance.next() % 300_000).collect();
        let lease = |number| Lease::new(number, nodes).expect("there are so many");
        let worker = |number| Worker {
            walk: Walk::new(lease(number), tasks, HELD_LOOKS_MAX),
            life: 0,
            begun_ms: 0,
            fails_ms: u64::MAX,
            slowness: 1,
            longest: Duration::ZERO,
            doing: None,
        };
        let events = (0..nodes).map(|number| Reverse((0, number, 0, Event::Start))).collect();
        let workers = (0..nodes).map(worker).collect();
        let open = task_ms.len();
        Cluster { world, chance, nodes, tasks: vec![Task::Open; open], task_ms, open, workers, events, sum: Sum::default() }
    }

    fn run(mut self) -> Sum {
        while let Some(Reverse((now_ms, number, life, event))) = self.events.pop() {
            // What was to happen to an earlier life does not happen.
            if self.workers[number as usize].life != life {
                continue;
            }
            match event {
                Event::Start => self.start(number, now_ms),
                Event::Look => self.look(number, now_ms),
                Event::Finish => self.finish(number, now_ms),
                Event::Die => self.die(number, now_ms),
            }
        }
        assert_eq!(self.open, 0, "every task is done in the end");
        self.sum
    }

    fn at(&mut self, at_ms: u64, number: u32, event: Event) {
        let life = self.workers[number as usize].life;
        self.events.push(Reverse((at_ms, number, life, event)));
    }

    fn start(&mut self, number: u32, now_ms: u64) {
        let slow = self.chance.one_in(self.world.slow_one_in);
        let fails = if self.world.failure_hours > 0 { self.chance.wait(self.world.failure_hours as f64 * 3.6e6) } else { u64::MAX };
        let wall = if self.world.wall_minutes > 0 { self.world.wall_minutes * 60_000 } else { u64::MAX };
        let worker = &mut self.workers[number as usize];
        worker.walk = Walk::new(Lease::new(number, self.nodes).expect("it is one of them"), self.tasks.len() as u32, HELD_LOOKS_MAX);
        (worker.begun_ms, worker.longest, worker.doing) = (now_ms, Duration::ZERO, None);
        worker.slowness = if slow { self.world.slow_factor } else { 1 };
        worker.fails_ms = now_ms.saturating_add(fails);
        let dies_ms = worker.fails_ms.min(now_ms.saturating_add(wall));
        if dies_ms < u64::MAX {
            self.at(dies_ms, number, Event::Die);
        }
        self.at(now_ms + START_MS, number, Event::Look);
    }

    fn look(&mut self, number: u32, now_ms: u64) {
        let worker = &mut self.workers[number as usize];
        if worker.walk.is_among_others() {
            let listed =
                |wanted: fn(&Task) -> bool| (0_u32..).zip(&self.tasks).filter(move |(_, task)| wanted(task)).map(|(index, _)| index);
            worker.walk.learn(listed(|task| matches!(task, Task::Done)), listed(|task| matches!(task, Task::Held { .. })));
            self.sum.listings += 2;
        }
        let (tasks, sum) = (&mut self.tasks, &mut self.sum);
        let next = worker.walk.next(|index| {
            sum.looks += 1;
            Ok::<_, std::convert::Infallible>(sight(&mut tasks[index as usize], number, now_ms, &mut sum.stolen))
        });
        let Ok(next) = next;
        match next {
            Next::Done => worker.life += 1,
            Next::Learn => self.at(now_ms, number, Event::Look),
            Next::Held(held) => self.wait_for(number, &held, now_ms),
            Next::Task(index) => self.begin(number, index, now_ms),
        }
    }

    /// Others are at all that is left: the worker ends if they live, else it waits until it may take a dead one's over.
    fn wait_for(&mut self, number: u32, held: &[u32], now_ms: u64) {
        let stale = held.iter().filter_map(|index| match self.tasks[*index as usize] {
            Task::Held { dead_ms: Some(dead_ms), .. } => Some(dead_ms + STEAL_AFTER_MS),
            _ => None,
        });
        match stale.min() {
            Some(at_ms) => self.at(at_ms.max(now_ms + 1), number, Event::Look),
            None => self.workers[number as usize].life += 1,
        }
    }

    fn begin(&mut self, number: u32, index: u32, now_ms: u64) {
        let worker = &mut self.workers[number as usize];
        let left = (self.world.wall_minutes > 0)
            .then(|| (worker.begun_ms + self.world.wall_minutes * 60_000).saturating_sub(now_ms + WARNING_MS))
            .map(Duration::from_millis);
        if !may_begin(left, worker.longest) {
            self.tasks[index as usize] = Task::Open;
            return self.restart(number, now_ms + QUEUE_MS);
        }
        worker.doing = Some((index, now_ms));
        let ends_ms = now_ms + self.task_ms[index as usize] * worker.slowness;
        self.at(ends_ms, number, Event::Finish);
    }

    fn finish(&mut self, number: u32, now_ms: u64) {
        let worker = &mut self.workers[number as usize];
        let Some((index, begun_ms)) = worker.doing.take() else { return };
        worker.longest = worker.longest.max(Duration::from_millis(now_ms - begun_ms));
        if matches!(self.tasks[index as usize], Task::Done) {
            self.sum.twice += 1;
            self.sum.lost_ms += now_ms - begun_ms;
        } else {
            self.tasks[index as usize] = Task::Done;
            self.open -= 1;
            self.sum.useful_ms += now_ms - begun_ms;
            self.sum.end_ms = self.sum.end_ms.max(now_ms);
        }
        self.at(now_ms, number, Event::Look);
    }

    fn die(&mut self, number: u32, now_ms: u64) {
        let worker = &mut self.workers[number as usize];
        let noticed_ms = if now_ms >= worker.fails_ms { NOTICED_MS } else { 0 };
        if let Some((index, begun_ms)) = worker.doing.take() {
            self.sum.lost_ms += now_ms - begun_ms;
            let task = &mut self.tasks[index as usize];
            if matches!(task, Task::Held { by, .. } if *by == number) {
                *task = Task::Held { by: number, dead_ms: Some(now_ms) };
            }
        }
        self.restart(number, now_ms + noticed_ms + QUEUE_MS);
    }

    fn restart(&mut self, number: u32, at_ms: u64) {
        self.workers[number as usize].life += 1;
        if self.open > 0 {
            self.sum.restarts += 1;
            self.at(at_ms, number, Event::Start);
        }
    }
}

/// What a lease sees of a task; it takes it if it may, as `Claims::take` would.
fn sight(task: &mut Task, number: u32, now_ms: u64, stolen: &mut u64) -> Sight {
    match *task {
        Task::Done => return Sight::Done,
        Task::Held { by, dead_ms } => {
            let is_stale = dead_ms.is_some_and(|dead_ms| now_ms >= dead_ms + STEAL_AFTER_MS);
            if by != number && !is_stale {
                return Sight::Held;
            }
            *stolen += u64::from(by != number);
        }
        Task::Open => {}
    }
    *task = Task::Held { by: number, dead_ms: None };
    Sight::Taken
}

fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("NODES, TASKS and SEED are numbers"));
    let nodes = u32::try_from(words.next().unwrap_or(1000)).expect("a number of nodes");
    let tasks = u32::try_from(words.next().unwrap_or(20_000)).expect("a number of tasks");
    let seed = words.next().unwrap_or(1);
    println!("{nodes} nodes, {tasks} tasks of 5 to 10 minutes, seed {seed}\n");
    println!(
        "| world | hours | node hours at work | of these lost | done twice | taken over | restarts | looks at a task | listings a node | share of the ideal |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for world in WORLDS {
        let cluster = Cluster::new(world, nodes, tasks, seed);
        let ideal_ms = cluster.task_ms.iter().sum::<u64>() as f64 / f64::from(nodes);
        let sum = cluster.run();
        let hours = |ms: u64| ms as f64 / 3.6e6;
        println!(
            "| {} | {:.2} | {:.0} | {:.0} | {} | {} | {} | {:.1} | {:.1} | {:.0} % |",
            world.name,
            hours(sum.end_ms),
            hours(sum.useful_ms + sum.lost_ms),
            hours(sum.lost_ms),
            sum.twice,
            sum.stolen,
            sum.restarts,
            sum.looks as f64 / f64::from(tasks),
            sum.listings as f64 / f64::from(nodes),
            100.0 * ideal_ms / sum.end_ms as f64
        );
    }
}
