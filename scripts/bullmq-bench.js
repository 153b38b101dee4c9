// Jobs of BullMQ through a Redis server, for `rivers bench --rival 'node scripts/bullmq-bench.js'`: adds them one by one, 50
// calls in flight, lets 50 be processed at once by a function that does nothing, and prints how many a second that were.
// NODE_PATH names where bullmq and ioredis are installed (docs/performance.md).
// usage: bullmq-bench.js SOCKET JOBS
'use strict';
const { Queue, Worker } = require('bullmq');
const Redis = require('ioredis');

const AT_ONCE = 50;
const [socket, jobs] = [process.argv[2], Number(process.argv[3])];
const name = `bench-${process.pid}`;
const data = { // as large as a run of `rivers bench`
    tags: { env: 'prod', team: 't7', tier: 'x1', owner: 'o5' },
    command: ['python3', '-m', 'warehouse.load', '--day', '2026-11-23'],
    env: {
        WAREHOUSE_URL: 'postgres://warehouse.example:5432/analytics',
        TARGET: 'events_by_day',
        SOURCE: 's3://example-landing-zone/events/2026/11/23/part-00017.parquet',
    },
};

const connect = () => new Redis(socket, { maxRetriesPerRequest: null });

async function addAll(queue) {
    let left = jobs;
    const adder = async () => {
        while (left-- > 0) await queue.add('load', data);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, adder));
}

function processAll() {
    return new Promise((resolve) => {
        let left = jobs;
        const worker = new Worker(name, async () => {}, { connection: connect(), concurrency: AT_ONCE });
        worker.on('completed', () => --left === 0 && resolve());
    });
}

async function main() {
    const queue = new Queue(name, { connection: connect() });
    await queue.waitUntilReady();
    const begun = process.hrtime.bigint();
    await addAll(queue);
    await processAll();
    console.log(jobs / (Number(process.hrtime.bigint() - begun) / 1e9));
    process.exit(0);
}

main();
