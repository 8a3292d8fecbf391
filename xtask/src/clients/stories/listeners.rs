//! Two listeners with advertised addresses: one for this host, one for a second network.

use std::path::Path;
use std::process::Command;

use anyhow::ensure;

use super::Outcome;
use crate::clients::broker::{Broker, free_port};
use crate::clients::programs::{Client, finish};
use crate::clients::{Context, compare};
use crate::command;

const NAMESPACE: &str = "klamm-check";
const HOST_ADDRESS: &str = "10.93.0.1";
const GUEST_ADDRESS: &str = "10.93.0.2";

/// A client in a network namespace of its own and one on the host use the same node.
pub fn run(context: &Context) -> anyhow::Result<Outcome> {
    let network = match Network::new() {
        Ok(network) => network,
        Err(error) => {
            return Ok(Outcome::Skipped(format!("no second network namespace here: {error:#}")));
        }
    };
    let folder = context.scratch.join("listeners");
    let (host_port, guest_port, controller_port) = (free_port()?, free_port()?, free_port()?);
    let extra = format!(
        "listeners=INSIDE://127.0.0.1:{host_port},OUTSIDE://0.0.0.0:{guest_port},CONTROLLER://127.0.0.1:{controller_port}\n\
         advertised.listeners=INSIDE://127.0.0.1:{host_port},OUTSIDE://{HOST_ADDRESS}:{guest_port},CONTROLLER://127.0.0.1:{controller_port}\n\
         controller.quorum.voters=1@127.0.0.1:{controller_port}\n\
         inter.broker.listener.name=INSIDE\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT\n"
    );
    let mut broker = Broker::start_on(context, context.kind.clone(), folder, &extra, host_port)?;
    Client::Kcat.write(context, &broker.bootstrap(), "both", "none", &context.flights_few)?;
    let outside = format!("{HOST_ADDRESS}:{guest_port}");
    let output = context.scratch.join("both.read");
    let program = Client::Kcat.consume(context, &outside, "both", &output, 0);
    finish(network.inside(&program), Some(&output))?;
    compare::same(&context.flights_few, &output, 1)?;
    let listed = command::output(
        Path::new("/"),
        "ip",
        &["netns", "exec", NAMESPACE, "kcat", "-L", "-b", &outside],
    )?;
    ensure!(
        listed.contains(&format!("broker 1 at {outside}")),
        "the second network was told: {listed}"
    );
    broker.stop()?;
    Ok(Outcome::Passed(format!(
        "{} is advertised to the second network, 127.0.0.1 to this host",
        HOST_ADDRESS
    )))
}

/// A namespace joined to this host by a pair of interfaces; removed on drop.
struct Network;

impl Network {
    fn new() -> anyhow::Result<Network> {
        let network = Network;
        remove();
        let steps: [&[&str]; 7] = [
            &["netns", "add", NAMESPACE],
            &["link", "add", "klamm-host", "type", "veth", "peer", "name", "klamm-guest"],
            &["link", "set", "klamm-guest", "netns", NAMESPACE],
            &["addr", "add", &format!("{HOST_ADDRESS}/24"), "dev", "klamm-host"],
            &["link", "set", "klamm-host", "up"],
            &["-n", NAMESPACE, "addr", "add", &format!("{GUEST_ADDRESS}/24"), "dev", "klamm-guest"],
            &["-n", NAMESPACE, "link", "set", "klamm-guest", "up"],
        ];
        for step in steps {
            command::output(Path::new("/"), "ip", step)?;
        }
        Ok(network)
    }

    /// The same program, run inside the namespace.
    fn inside(&self, program: &Command) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", NAMESPACE])
            .arg(program.get_program())
            .args(program.get_args());
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        remove();
    }
}

fn remove() {
    let _ = command::output(Path::new("/"), "ip", &["netns", "del", NAMESPACE]);
    let _ = command::output(Path::new("/"), "ip", &["link", "del", "klamm-host"]);
}
