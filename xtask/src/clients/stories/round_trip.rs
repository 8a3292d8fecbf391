//! Every client writes with every codec; another client reads it back byte for byte.

use std::time::Instant;

use super::Outcome;
use crate::clients::flights::{FLIGHTS, FLIGHTS_FEW};
use crate::clients::programs::{ALL, CODECS, Client};
use crate::clients::{Context, compare};

/// All flights once for each client, then every codec; on less data in the short form.
pub fn run(context: &Context) -> anyhow::Result<Outcome> {
    let mut broker = context.broker("round_trip")?;
    let bootstrap = broker.bootstrap();
    let readers: Vec<Client> = ALL.iter().copied().filter(|client| client.reads()).collect();
    let mut pairs = 0;
    for (index, writer) in ALL.iter().enumerate() {
        for (shift, codec) in CODECS.iter().enumerate() {
            // Each writer sends all flights with one codec; the others get them in the long form.
            let whole = !context.short || shift == index % CODECS.len();
            let (file, count) = if whole {
                (&context.flights, FLIGHTS)
            } else {
                (&context.flights_few, FLIGHTS_FEW)
            };
            let topic = format!("{}-{codec}", writer.name());
            let reader = readers[(index + shift) % readers.len()];
            let output = context.scratch.join(format!("{topic}.read"));
            let started = Instant::now();
            writer.write(context, &bootstrap, &topic, codec, file)?;
            let wrote = started.elapsed().as_secs_f64();
            reader.read(context, &bootstrap, &topic, &output, count)?;
            compare::same(file, &output, 1)?;
            println!(
                "  {:>15} -> {:<15} {codec:<6} {count} flights: written in {wrote:.1} s, read in {:.1} s",
                writer.name(),
                reader.name(),
                started.elapsed().as_secs_f64() - wrote
            );
            std::fs::remove_file(&output)?;
            pairs += 1;
        }
    }
    broker.stop()?;
    Ok(Outcome::Passed(format!(
        "{pairs} pairs of writer and codec, every byte and every key's order"
    )))
}
