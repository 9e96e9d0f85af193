package millweir.interop;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;

/** Notes each record, and that the parents of its shard were finished before it began. */
final class Processor implements ShardRecordProcessor {
    /** When a processor tells how far it is; at a shard's end it always must. */
    enum Checkpoints {
        AFTER_EACH_BATCH,
        WHEN_ASKED_TO_STOP
    }

    private final String worker;
    private final Leases leases;
    private final Checkpoints checkpoints;
    private final Journal journal;
    private String shard;

    Processor(String worker, Leases leases, Checkpoints checkpoints, Journal journal) {
        this.worker = worker;
        this.leases = leases;
        this.checkpoints = checkpoints;
        this.journal = journal;
    }

    @Override
    public void initialize(InitializationInput input) {
        shard = input.shardId();
        leases.unfinishedParents(shard)
                .forEach(p -> journal.fault(shard + " is read, and its parent is at " + p));
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
        input.records().forEach(r -> journal.delivered(delivery(r)));
        if (checkpoints == Checkpoints.AFTER_EACH_BATCH) {
            checkpoint(input.checkpointer());
        }
    }

    private Delivery delivery(KinesisClientRecord record) {
        return new Delivery(
                worker,
                shard,
                record.partitionKey(),
                StandardCharsets.UTF_8.decode(record.data()).toString(),
                new BigInteger(record.sequenceNumber()),
                System.currentTimeMillis());
    }

    @Override
    public void leaseLost(LeaseLostInput input) {}

    @Override
    public void shardEnded(ShardEndedInput input) {
        checkpoint(input.checkpointer());
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {
        checkpoint(input.checkpointer());
    }

    private void checkpoint(RecordProcessorCheckpointer checkpointer) {
        try {
            checkpointer.checkpoint();
        } catch (ShutdownException e) {
            // The lease is another worker's by now; that one reads on from the last checkpoint.
        } catch (Exception e) {
            journal.fault(shard + ": no checkpoint: " + e);
        }
    }
}
