// kafkajs: `produce` as clients/README.md describes it. Its consumer needs groups, so `consume` comes with them.
'use strict'

const fs = require('node:fs')
const readline = require('node:readline')
const lz4 = require('lz4-napi')
const snappyjs = require('snappyjs')
const { ZstdCodec } = require('zstd-codec')
const { CompressionCodecs, CompressionTypes, Kafka, Partitioners, logLevel } = require('kafkajs')

/** Snappy in the framing that Kafka's Java client writes: a header, then length-prefixed blocks. */
function xerial (raw) {
  const parts = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])]
  for (let at = 0; at < raw.length; at += 32768) {
    const block = Buffer.from(snappyjs.compress(raw.subarray(at, at + 32768)))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

const refuse = async () => { throw new Error('this program only produces') }

function useCodecs (zstd) {
  const simple = compress => () => ({ compress: async encoder => compress(encoder.buffer), decompress: refuse })
  CompressionCodecs[CompressionTypes.Snappy] = simple(xerial)
  CompressionCodecs[CompressionTypes.LZ4] = simple(raw => lz4.compressFrameSync(raw))
  CompressionCodecs[CompressionTypes.ZSTD] = simple(raw => Buffer.from(zstd.compress(raw)))
}

const TYPES = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD
}

async function produce (bootstrap, topic, codec, path) {
  const kafka = new Kafka({ clientId: 'klamm-check', brokers: [bootstrap], logLevel: logLevel.ERROR })
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner })
  await producer.connect()
  let messages = []
  const send = async () => {
    if (messages.length === 0) return
    await producer.send({ topic, acks: -1, compression: TYPES[codec], messages })
    messages = []
  }
  for await (const line of readline.createInterface({ input: fs.createReadStream(path) })) {
    const tab = line.indexOf('\t')
    messages.push({ key: line.slice(0, tab), value: line.slice(tab + 1) })
    if (messages.length === 2000) await send()
  }
  await send()
  await producer.disconnect()
}

const [action, bootstrap, topic, codec, path] = process.argv.slice(2)
if (action !== 'produce') throw new Error(`kafkajs: ${action} needs consumer groups`)
ZstdCodec.run(zstd => {
  useCodecs(new zstd.Simple())
  produce(bootstrap, topic, codec, path).then(() => process.exit(0), error => {
    console.error(error)
    process.exit(1)
  })
})
