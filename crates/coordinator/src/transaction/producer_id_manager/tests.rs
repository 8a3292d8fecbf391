//! Producer ids over blocks, failures and restarts.

use std::collections::{BTreeSet, VecDeque};

use klamm_env::sim::Sim;

use super::*;

/// A controller: blocks of `size`, answered after a while, with failures as scripted.
struct Controller {
    env: Env,
    state: Mutex<Script>,
    size: i32,
}

#[derive(Default)]
struct Script {
    next: i64,
    asked: u32,
    answers: VecDeque<Result<ProducerIdBlock, AllocateError>>,
}

impl Controller {
    fn new(env: &Env, size: i32) -> Arc<Self> {
        Arc::new(Self { env: env.clone(), state: Mutex::new(Script::default()), size })
    }

    fn asked(&self) -> u32 {
        self.state.lock().asked
    }
}

impl ProducerIdSource for Controller {
    fn allocate(
        &self,
    ) -> Pin<Box<dyn Future<Output = Result<ProducerIdBlock, AllocateError>> + Send>> {
        let answer = {
            let mut state = self.state.lock();
            state.asked += 1;
            state.answers.pop_front().unwrap_or_else(|| {
                let first = ProducerId(state.next);
                state.next += i64::from(self.size);
                Ok(ProducerIdBlock { first, size: self.size })
            })
        };
        let pause = self.env.clock().sleep(Duration::from_millis(5));
        Box::pin(async move {
            pause.await;
            answer
        })
    }
}

fn manager(env: &Env, source: &Arc<Controller>) -> ProducerIdManager {
    ProducerIdManager::new(env.clone(), env.scope("test"), source.clone())
}

#[test]
fn no_id_twice_over_many_callers_and_a_restart() {
    Sim::new(7).run(|env| async move {
        let controller = Controller::new(&env, 10);
        let mut seen = BTreeSet::new();
        for _ in 0..2 {
            let ids = manager(&env, &controller);
            let scope = env.scope("callers");
            let callers: Vec<_> = (0..40)
                .map(|_| {
                    let ids = ids.clone();
                    scope.spawn("caller", async move { ids.generate().await })
                })
                .collect();
            for caller in callers {
                // Forty callers wait for one block of ten: the others are told to retry.
                if let Ok(Ok(id)) = caller.await {
                    assert!(seen.insert(id), "{id} twice");
                }
            }
            while seen.len() % 45 != 0 {
                let id = ids.generate().await.expect("a controller that answers");
                assert!(seen.insert(id), "{id} twice");
            }
        }
    });
}

#[test]
fn the_next_block_is_there_before_the_first_is_used_up() {
    Sim::new(1).run(|env| async move {
        let controller = Controller::new(&env, 1000);
        let ids = manager(&env, &controller);
        for expected in 0..900 {
            assert_eq!(ids.generate().await, Ok(ProducerId(expected)));
        }
        assert_eq!(controller.asked(), 1);
        assert_eq!(ids.generate().await, Ok(ProducerId(900)));
        env.clock().sleep(Duration::from_millis(10)).await;
        assert_eq!(controller.asked(), 2);
        let before = env.clock().now();
        for expected in 901..1800 {
            assert_eq!(ids.generate().await, Ok(ProducerId(expected)));
        }
        assert_eq!(env.clock().now(), before, "nobody waited");
    });
}

#[test]
fn a_failure_is_answered_and_retried_only_after_a_while() {
    Sim::new(1).run(|env| async move {
        let controller = Controller::new(&env, 1000);
        let failure = AllocateError { reason: "not the controller".to_owned() };
        controller.state.lock().answers.push_back(Err(failure));
        let ids = manager(&env, &controller);
        assert_eq!(ids.generate().await, Err(ProducerIdError));
        assert_eq!(ids.generate().await, Err(ProducerIdError));
        assert_eq!(controller.asked(), 1);
        env.clock().sleep(RETRY_BACKOFF).await;
        assert_eq!(ids.generate().await, Ok(ProducerId(0)));
    });
}

#[test]
fn a_block_that_goes_back_is_refused() {
    Sim::new(1).run(|env| async move {
        let controller = Controller::new(&env, 10);
        let ids = manager(&env, &controller);
        assert_eq!(ids.generate().await, Ok(ProducerId(0)));
        for bad in [(0, 10), (9, 10), (-1, 10), (20, 0), (i64::MAX, 10)] {
            let block = ProducerIdBlock { first: ProducerId(bad.0), size: bad.1 };
            assert!(ids.inner.state.lock().check(block).is_err(), "{bad:?}");
        }
    });
}
