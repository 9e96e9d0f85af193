package interop

import (
	"errors"
	"math/big"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

func TestAwkwardRecordsComeBackIntact(t *testing.T) {
	ways := map[string]func(*testing.T, *kinesis.Client, string, []record) placed{
		"PutRecord": putOneByOne, "PutRecords": putAll,
	}
	both(t, func(t *testing.T, c *kinesis.Client) {
		for way, put := range ways {
			t.Run(way, func(t *testing.T) {
				name, _ := newStream(t, c, 2)
				listed, err := c.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: &name})
				check(t, err)
				for shard, want := range put(t, c, name, awkward()) {
					for _, r := range want {
						equal(t, shard, owner(t, listed.Shards, r.key))
						equal(t, len(r.number), 56)
					}
					equal(t, briefs(drain(t, c, iterator(t, c, name, shard))), want)
				}
			})
		}
	})
}

func TestEveryIteratorType(t *testing.T) {
	both(t, func(t *testing.T, c *kinesis.Client) {
		name, _ := newStream(t, c, 2)
		for shard, want := range putAll(t, c, name, numbered(5, 8, 0)) {
			readEveryWay(t, c, name, shard, want)
		}
	})
}

func readEveryWay(t *testing.T, c *kinesis.Client, name, shard string, want []record) {
	t.Helper()
	read := func(position func(*kinesis.GetShardIteratorInput)) []types.Record {
		return drain(t, c, iterator(t, c, name, shard, position))
	}
	every := drain(t, c, iterator(t, c, name, shard))
	equal(t, briefs(every), want)
	equal(t, briefs(read(func(i *kinesis.GetShardIteratorInput) {
		i.ShardIteratorType = types.ShardIteratorTypeAtSequenceNumber
		i.StartingSequenceNumber = &want[2].number
	})), want[2:])
	equal(t, briefs(read(func(i *kinesis.GetShardIteratorInput) {
		i.ShardIteratorType = types.ShardIteratorTypeAfterSequenceNumber
		i.StartingSequenceNumber = &want[2].number
	})), want[3:])
	stamp := every[len(every)-1].ApproximateArrivalTimestamp
	var since []record
	for i, r := range every {
		if !r.ApproximateArrivalTimestamp.Before(*stamp) {
			since = append(since, want[i])
		}
	}
	equal(t, briefs(read(func(i *kinesis.GetShardIteratorInput) {
		i.ShardIteratorType = types.ShardIteratorTypeAtTimestamp
		i.Timestamp = stamp
	})), since)
	latest := iterator(t, c, name, shard, func(i *kinesis.GetShardIteratorInput) {
		i.ShardIteratorType = types.ShardIteratorTypeLatest
	})
	placed, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{
		StreamName: &name, PartitionKey: &want[0].key, Data: []byte("new"),
	})
	check(t, err)
	equal(t, briefs(drain(t, c, latest)), []record{{want[0].key, "new", *placed.SequenceNumber}})
}

func TestExplicitHashKeys(t *testing.T) {
	c := client(t, "http")
	name, _ := newStream(t, c, 2)
	put := func(hash *big.Int) (*kinesis.PutRecordOutput, error) {
		return c.PutRecord(t.Context(), &kinesis.PutRecordInput{
			StreamName: &name, PartitionKey: aws.String("same"), ExplicitHashKey: aws.String(hash.String()), Data: []byte("x"),
		})
	}
	half := new(big.Int).Lsh(big.NewInt(1), 127)
	lower, err := put(new(big.Int).Sub(half, big.NewInt(1)))
	check(t, err)
	equal(t, *lower.ShardId, "shardId-000000000000")
	upper, err := put(half)
	check(t, err)
	equal(t, *upper.ShardId, "shardId-000000000001")
	_, err = put(hashKeys)
	var invalid *types.InvalidArgumentException
	equal(t, errors.As(err, &invalid), true)
}
