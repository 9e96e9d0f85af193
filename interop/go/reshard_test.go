package interop

import (
	"fmt"
	"math/big"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// lineage reads a whole stream, opening a shard only when all its parents are drained.
type lineage struct {
	c        *kinesis.Client
	name     string
	records  []record
	closed   []string
	children map[string][]string
	open     map[string]*string
}

// round is one GetRecords for each open shard.
func (l *lineage) round(t *testing.T) error {
	for shard, at := range l.open {
		page, err := l.c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: at})
		if err != nil {
			return err
		}
		l.records = append(l.records, briefs(page.Records)...)
		if (page.NextShardIterator == nil) != (len(page.ChildShards) > 0) {
			return fmt.Errorf("%s ends without children, or has them before its end", shard)
		}
		if page.NextShardIterator != nil {
			l.open[shard] = page.NextShardIterator
			continue
		}
		delete(l.open, shard)
		l.closed = append(l.closed, shard)
		l.follow(t, page.ChildShards)
	}
	return nil
}

func (l *lineage) follow(t *testing.T, ended []types.ChildShard) {
	for _, child := range ended {
		l.children[*child.ShardId] = child.ParentShards
	}
	for child, parents := range l.children {
		drained := !slices.ContainsFunc(parents, func(p string) bool { return !slices.Contains(l.closed, p) })
		if drained && l.open[child] == nil && !slices.Contains(l.closed, child) {
			l.open[child] = iterator(t, l.c, l.name, child)
		}
	}
}

func shard(n int) string { return fmt.Sprintf("shardId-%012d", n) }

func TestSplitAndMergeWhileReading(t *testing.T) {
	both(t, func(t *testing.T, c *kinesis.Client) {
		name, _ := newStream(t, c, 2)
		reader := &lineage{c: client(t, "https"), name: name, children: map[string][]string{}, open: map[string]*string{}}
		for n := range 2 {
			reader.open[shard(n)] = iterator(t, reader.c, name, shard(n))
		}
		var written atomic.Int64
		failure := make(chan error, 1)
		go func() { failure <- reader.until(t, &written) }()
		var records []record
		write := func(start int) {
			batch := numbered(16, 10, start)
			putAll(t, c, name, batch)
			records = append(records, batch...)
		}
		write(0)
		quarter := new(big.Int).Lsh(big.NewInt(1), 126).String()
		_, err := c.SplitShard(t.Context(), &kinesis.SplitShardInput{
			StreamName: &name, ShardToSplit: aws.String(shard(0)), NewStartingHashKey: &quarter,
		})
		check(t, err)
		write(10)
		active(t, c, name)
		_, err = c.MergeShards(t.Context(), &kinesis.MergeShardsInput{
			StreamName: &name, ShardToMerge: aws.String(shard(3)), AdjacentShardToMerge: aws.String(shard(1)),
		})
		check(t, err)
		write(20)
		active(t, c, name)
		write(30)
		written.Store(int64(len(records)))
		check(t, <-failure)
		inOrderPerKey(t, reader.records, records)
		slices.Sort(reader.closed)
		equal(t, reader.closed, []string{shard(0), shard(1), shard(3)})
		equal(t, reader.children, map[string][]string{
			shard(2): {shard(0)}, shard(3): {shard(0)}, shard(4): {shard(3), shard(1)},
		})
	})
}

// until reads until all that was written is there; `written` is 0 while the writer still writes.
func (l *lineage) until(t *testing.T, written *atomic.Int64) error {
	for rounds := 0; rounds < 100; {
		if total := written.Load(); total > 0 {
			rounds++
			if int64(len(l.records)) >= total {
				return nil
			}
		}
		if err := l.round(t); err != nil {
			return err
		}
	}
	return fmt.Errorf("%d of %d records are read", len(l.records), written.Load())
}
