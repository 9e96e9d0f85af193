package interop

import (
	"math/big"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func consumer(t *testing.T, c *kinesis.Client, arn string) string {
	t.Helper()
	registered, err := c.RegisterStreamConsumer(t.Context(), &kinesis.RegisterStreamConsumerInput{
		StreamARN: &arn, ConsumerName: aws.String("reader"),
	})
	check(t, err)
	id := registered.Consumer.ConsumerARN
	for range 100 {
		described, err := c.DescribeStreamConsumer(t.Context(), &kinesis.DescribeStreamConsumerInput{ConsumerARN: id})
		check(t, err)
		if described.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive {
			return *id
		}
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatal("the consumer does not become ACTIVE")
	return ""
}

func subscribe(t *testing.T, c *kinesis.Client, consumer string, position types.StartingPosition) *kinesis.SubscribeToShardEventStream {
	t.Helper()
	answer, err := c.SubscribeToShard(t.Context(), &kinesis.SubscribeToShardInput{
		ConsumerARN: &consumer, ShardId: aws.String(shard(0)), StartingPosition: &position,
	})
	check(t, err)
	stream := answer.GetStream()
	t.Cleanup(func() { _ = stream.Close() })
	return stream
}

// next is the next event, or nil when the subscription has ended.
func next(t *testing.T, stream *kinesis.SubscribeToShardEventStream) *types.SubscribeToShardEvent {
	t.Helper()
	select {
	case event, open := <-stream.Events():
		if !open {
			check(t, stream.Err())
			return nil
		}
		return &event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent).Value
	case <-time.After(8 * time.Second):
		t.Fatal("no event")
		return nil
	}
}

// take collects records until there are count of them; the last event comes with them.
func take(t *testing.T, stream *kinesis.SubscribeToShardEventStream, count int) ([]types.Record, *types.SubscribeToShardEvent) {
	t.Helper()
	var records []types.Record
	for {
		event := next(t, stream)
		if event == nil {
			t.Fatal("the subscription ended early")
		}
		records = append(records, event.Records...)
		if len(records) >= count {
			return records, event
		}
	}
}

func putFirstShard(t *testing.T, c *kinesis.Client, name, data string) *kinesis.PutRecordOutput {
	t.Helper()
	placed, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{
		StreamName: &name, PartitionKey: aws.String("k"), ExplicitHashKey: aws.String("0"), Data: []byte(data),
	})
	check(t, err)
	return placed
}

func TestEventsArePushed(t *testing.T) {
	both(t, func(t *testing.T, c *kinesis.Client) {
		name, arn := newStream(t, c, 2)
		id := consumer(t, c, arn)
		putFirstShard(t, c, name, "before")
		stream := subscribe(t, c, id, types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon})
		first, event := take(t, stream, 1)
		equal(t, string(first[0].Data), "before")
		if number(t, event.ContinuationSequenceNumber).Cmp(number(t, first[0].SequenceNumber)) < 0 {
			t.Fatal("the subscription's position is before its last record")
		}
		placed := putFirstShard(t, c, name, string(everyByte()))
		started := time.Now()
		second, _ := take(t, stream, 1)
		equal(t, string(second[0].Data), string(everyByte()))
		equal(t, *second[0].SequenceNumber, *placed.SequenceNumber)
		if waited := time.Since(started); waited > 2*time.Second {
			t.Fatalf("waited %s: polled, not pushed", waited)
		}
		_, err := c.SubscribeToShard(t.Context(), &kinesis.SubscribeToShardInput{
			ConsumerARN: aws.String(id + "1"), ShardId: aws.String(shard(0)),
			StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeLatest},
		})
		refused(t, err, "ResourceNotFoundException")
	})
}

func TestASubscriptionEndsWithTheChildrenOfItsShard(t *testing.T) {
	both(t, func(t *testing.T, c *kinesis.Client) {
		name, arn := newStream(t, c, 1)
		id := consumer(t, c, arn)
		first := putFirstShard(t, c, name, "n0")
		putFirstShard(t, c, name, "n1")
		putFirstShard(t, c, name, "n2")
		stream := subscribe(t, c, id, types.StartingPosition{
			Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: first.SequenceNumber,
		})
		records, _ := take(t, stream, 2)
		equal(t, []string{string(records[0].Data), string(records[1].Data)}, []string{"n1", "n2"})
		half := new(big.Int).Lsh(big.NewInt(1), 127).String()
		_, err := c.SplitShard(t.Context(), &kinesis.SplitShardInput{
			StreamName: &name, ShardToSplit: aws.String(shard(0)), NewStartingHashKey: &half,
		})
		check(t, err)
		event := next(t, stream)
		for event != nil && len(event.ChildShards) == 0 {
			event = next(t, stream)
		}
		if event == nil {
			t.Fatal("the subscription ended without the children")
		}
		equal(t, event.ContinuationSequenceNumber == nil, true)
		var children []string
		for _, child := range event.ChildShards {
			equal(t, child.ParentShards, []string{shard(0)})
			children = append(children, *child.HashKeyRange.StartingHashKey)
		}
		equal(t, children, []string{"0", half})
		equal(t, next(t, stream) == nil, true)
	})
}
