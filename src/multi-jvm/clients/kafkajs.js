// KafkaJS against a node: node kafkajs.js BOOTSTRAP. Ends with status 0 when everything was as it should be.
const assert = require('node:assert')
const { Kafka, CompressionTypes, CompressionCodecs, ConfigResourceTypes, logLevel } = require('kafkajs')
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

const TOPIC = 'kafkajs'
const GROUP = 'kafkajs-group'
const kafka = new Kafka({ clientId: 'kafkajs', brokers: [process.argv[2]], logLevel: logLevel.NOTHING })

async function until(what, condition, timeoutMs = 30_000) {
  const deadline = Date.now() + timeoutMs
  while (!condition()) {
    assert(Date.now() < deadline, `not in time: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 10))
  }
}

async function createTopic(admin) {
  const topic = { topic: TOPIC, numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '3600000' }] }
  assert.strictEqual(await admin.createTopics({ topics: [topic] }), true)
  assert.strictEqual(await admin.createTopics({ topics: [topic] }), false, 'a topic that exists is not created')
  await admin.createPartitions({ topicPartitions: [{ topic: TOPIC, count: 4 }] })
  const metadata = await admin.fetchTopicMetadata({ topics: [TOPIC] })
  assert.strictEqual(metadata.topics[0].partitions.length, 4)
  const configs = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: TOPIC, configNames: ['retention.ms'] }],
  })
  assert.strictEqual(configs.resources[0].configEntries[0].configValue, '3600000')
}

// Record i has key k<i>, value v<i> and header h=<i>; IT reads them again with the Java client.
async function produce() {
  let sent = 0
  for (const [compression, idempotent] of [[CompressionTypes.None, false], [CompressionTypes.GZIP, true], [CompressionTypes.Snappy, true]]) {
    const producer = kafka.producer({ idempotent, maxInFlightRequests: 1, createPartitioner: require('kafkajs').Partitioners.DefaultPartitioner })
    await producer.connect()
    for (let batch = 0; batch < 5; batch++) {
      const messages = Array.from({ length: 20 }, () => {
        const i = sent++
        return { key: `k${i}`, value: `v${i}`, headers: { h: `${i}` } }
      })
      const results = await producer.send({ topic: TOPIC, compression, acks: -1, messages })
      results.forEach(result => assert.strictEqual(result.errorCode, 0))
    }
    await producer.disconnect()
  }
  const producer = kafka.producer({ createPartitioner: require('kafkajs').Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: TOPIC, acks: 1, messages: [{ key: 'tombstone', value: null, partition: 0 }] })
  await producer.disconnect()
  return sent + 1
}

async function consume(expected) {
  const seen = new Map()
  const joins = []
  const join = async name => {
    const consumer = kafka.consumer({
      groupId: GROUP, sessionTimeout: 10_000, rebalanceTimeout: 8_000, heartbeatInterval: 300, maxWaitTimeInMs: 100,
    })
    consumer.on(consumer.events.GROUP_JOIN, event => joins.push([name, event.payload.memberAssignment[TOPIC] || []]))
    await consumer.connect()
    await consumer.subscribe({ topics: [TOPIC], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ partition, message }) => {
        const key = `${partition}-${message.offset}`
        seen.set(key, (seen.get(key) || 0) + 1)
        if (message.value === null) {
          assert.strictEqual(message.key.toString(), 'tombstone')
        } else {
          const i = message.key.toString().slice(1)
          assert.strictEqual(message.value.toString(), `v${i}`)
          assert.strictEqual(message.headers.h.toString(), i)
        }
      },
    })
    return consumer
  }
  const first = await join('first')
  await until('every record', () => seen.size === expected)
  const second = await join('second')
  await until('two members share the partitions', () =>
    ['first', 'second'].every(name => joins.filter(join => join[0] === name).at(-1)?.[1].length === 2))
  await second.disconnect()
  await until('the partitions come back', () => joins.at(-1)[0] === 'first' && joins.at(-1)[1].length === 4)
  assert([...seen.values()].every(times => times === 1), 'a clean rebalance reads nothing again')
  first.seek({ topic: TOPIC, partition: 0, offset: '0' })
  await until('a record is read again after a seek', () => seen.get('0-0') === 2)
  await first.disconnect()
}

async function administer(admin, expected) {
  const ends = await admin.fetchTopicOffsets(TOPIC)
  assert.strictEqual(ends.reduce((sum, end) => sum + Number(end.offset), 0), expected)
  for (const { offset } of await admin.fetchTopicOffsetsByTimestamp(TOPIC, Date.now() - 600_000)) assert.strictEqual(offset, '0')
  const committed = async () => (await admin.fetchOffsets({ groupId: GROUP, topics: [TOPIC] }))[0].partitions
  for (const { partition, offset } of await committed()) {
    if (partition !== 0) assert.strictEqual(offset, ends.find(end => end.partition === partition).offset)
  }
  await admin.setOffsets({ groupId: GROUP, topic: TOPIC, partitions: [{ partition: 1, offset: '2' }] })
  assert.strictEqual((await committed()).find(({ partition }) => partition === 1).offset, '2')
  await admin.deleteTopicRecords({ topic: TOPIC, partitions: [{ partition: 3, offset: '1' }] })
  assert.strictEqual((await admin.fetchTopicOffsets(TOPIC)).find(({ partition }) => partition === 3).low, '1')
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: TOPIC, configEntries: [{ name: 'retention.ms', value: '7200000' }] }],
  })
  const { groups } = await admin.listGroups()
  assert(groups.some(({ groupId, protocolType }) => groupId === GROUP && protocolType === 'consumer'))
  assert.strictEqual((await admin.describeGroups([GROUP])).groups[0].state, 'Empty')
  assert.strictEqual((await admin.deleteGroups([GROUP]))[0].errorCode, 0)
  assert.strictEqual((await admin.describeCluster()).brokers.length, 1)
}

async function main() {
  const admin = kafka.admin()
  await admin.connect()
  await createTopic(admin)
  const expected = await produce()
  await consume(expected)
  await administer(admin, expected)
  await admin.disconnect()
}

main().catch(failure => {
  console.error(failure)
  process.exit(1)
})
