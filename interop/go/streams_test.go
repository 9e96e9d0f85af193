package interop

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

// both runs a test over each transport.
func both(t *testing.T, body func(*testing.T, *kinesis.Client)) {
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) { body(t, client(t, transport)) })
	}
}

func refused(t *testing.T, err error, code string) smithy.APIError {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("%v is no answer of the server", err)
	}
	equal(t, api.ErrorCode(), code)
	return api
}

func TestLifeOfAStream(t *testing.T) {
	both(t, func(t *testing.T, c *kinesis.Client) {
		name := freshName()
		_, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(2)})
		check(t, err)
		equal(t, active(t, c, name), fmt.Sprintf("arn:aws:kinesis:%s:%s:stream/%s", region, account, name))
		answer, err := c.DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: &name})
		check(t, err)
		described := answer.StreamDescription
		equal(t, *described.RetentionPeriodHours, 24)
		if age := time.Since(*described.StreamCreationTimestamp).Abs(); age > time.Minute {
			t.Fatalf("created %s ago", age)
		}
		edge := big.NewInt(0)
		for _, shard := range described.Shards {
			equal(t, *shard.HashKeyRange.StartingHashKey, edge.String())
			edge.Add(number(t, shard.HashKeyRange.EndingHashKey), big.NewInt(1))
		}
		equal(t, edge.String(), hashKeys.String())
		if summary(t, c, name).StreamId != nil {
			t.Fatal("a StreamId would lead clients away from the endpoint")
		}
		listed, err := c.ListStreams(t.Context(), &kinesis.ListStreamsInput{Limit: aws.Int32(1000)})
		check(t, err)
		equal(t, slices.Contains(listed.StreamNames, name), true)
		_, err = c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(1)})
		refused(t, err, "ResourceInUseException")
		_, err = c.DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamName: &name})
		check(t, err)
		gone := kinesis.NewStreamNotExistsWaiter(c, func(o *kinesis.StreamNotExistsWaiterOptions) {
			o.MinDelay, o.MaxDelay = 200*time.Millisecond, time.Second
		})
		check(t, gone.Wait(t.Context(), &kinesis.DescribeStreamInput{StreamName: &name}, 20*time.Second))
	})
}

func TestTagsByBothFamilies(t *testing.T) {
	both(t, func(t *testing.T, c *kinesis.Client) {
		name, arn := newStream(t, c, 1)
		_, err := c.AddTagsToStream(t.Context(), &kinesis.AddTagsToStreamInput{
			StreamName: &name, Tags: map[string]string{"ключ": "значение", "a": "b"},
		})
		check(t, err)
		_, err = c.TagResource(t.Context(), &kinesis.TagResourceInput{
			ResourceARN: &arn, Tags: map[string]string{"env": "test"},
		})
		check(t, err)
		listed, err := c.ListTagsForStream(t.Context(), &kinesis.ListTagsForStreamInput{StreamName: &name})
		check(t, err)
		equal(t, pairs(listed.Tags), []string{"a=b", "env=test", "ключ=значение"})
		_, err = c.RemoveTagsFromStream(t.Context(), &kinesis.RemoveTagsFromStreamInput{
			StreamName: &name, TagKeys: []string{"a"},
		})
		check(t, err)
		_, err = c.UntagResource(t.Context(), &kinesis.UntagResourceInput{
			ResourceARN: &arn, TagKeys: []string{"ключ"},
		})
		check(t, err)
		left, err := c.ListTagsForResource(t.Context(), &kinesis.ListTagsForResourceInput{ResourceARN: &arn})
		check(t, err)
		equal(t, pairs(left.Tags), []string{"env=test"})
	})
}

func pairs(tags []types.Tag) []string {
	var all []string
	for _, tag := range tags {
		all = append(all, *tag.Key+"="+*tag.Value)
	}
	return all
}

func TestRetention(t *testing.T) {
	c := client(t, "http")
	name, _ := newStream(t, c, 1)
	_, err := c.IncreaseStreamRetentionPeriod(t.Context(), &kinesis.IncreaseStreamRetentionPeriodInput{
		StreamName: &name, RetentionPeriodHours: aws.Int32(48),
	})
	check(t, err)
	active(t, c, name)
	equal(t, *summary(t, c, name).RetentionPeriodHours, 48)
	_, err = c.DecreaseStreamRetentionPeriod(t.Context(), &kinesis.DecreaseStreamRetentionPeriodInput{
		StreamName: &name, RetentionPeriodHours: aws.Int32(24),
	})
	check(t, err)
	active(t, c, name)
	equal(t, *summary(t, c, name).RetentionPeriodHours, 24)
}

func TestEncryptionStartsAndStops(t *testing.T) {
	c := client(t, "https")
	name, _ := newStream(t, c, 1)
	key := aws.String("alias/aws/kinesis")
	_, err := c.StartStreamEncryption(t.Context(), &kinesis.StartStreamEncryptionInput{
		StreamName: &name, EncryptionType: types.EncryptionTypeKms, KeyId: key,
	})
	check(t, err)
	active(t, c, name)
	equal(t, summary(t, c, name).EncryptionType, types.EncryptionTypeKms)
	placed, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{
		StreamName: &name, PartitionKey: aws.String("k"), Data: []byte("secret"),
	})
	check(t, err)
	equal(t, placed.EncryptionType, types.EncryptionTypeKms)
	found := drain(t, c, iterator(t, c, name, *placed.ShardId))
	equal(t, string(found[0].Data), "secret")
	equal(t, found[0].EncryptionType, types.EncryptionTypeKms)
	_, err = c.StopStreamEncryption(t.Context(), &kinesis.StopStreamEncryptionInput{
		StreamName: &name, EncryptionType: types.EncryptionTypeKms, KeyId: key,
	})
	check(t, err)
	active(t, c, name)
	equal(t, summary(t, c, name).EncryptionType, types.EncryptionTypeNone)
}

func TestUpdateShardCount(t *testing.T) {
	c := client(t, "http")
	name, _ := newStream(t, c, 2)
	answer, err := c.UpdateShardCount(t.Context(), &kinesis.UpdateShardCountInput{
		StreamName: &name, TargetShardCount: aws.Int32(4), ScalingType: types.ScalingTypeUniformScaling,
	})
	check(t, err)
	equal(t, []int32{*answer.CurrentShardCount, *answer.TargetShardCount}, []int32{2, 4})
	active(t, c, name)
	open, err := c.ListShards(t.Context(), &kinesis.ListShardsInput{
		StreamName: &name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtLatest},
	})
	check(t, err)
	equal(t, len(open.Shards), 4)
	all := 0
	input := &kinesis.ListShardsInput{StreamName: &name, MaxResults: aws.Int32(4)}
	for input != nil {
		page, err := c.ListShards(t.Context(), input)
		check(t, err)
		all += len(page.Shards)
		input = nil
		if page.NextToken != nil {
			input = &kinesis.ListShardsInput{NextToken: page.NextToken, MaxResults: aws.Int32(4)}
		}
	}
	equal(t, all, 6)
}

func TestErrors(t *testing.T) {
	both(t, func(t *testing.T, c *kinesis.Client) {
		_, err := c.DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: aws.String("nowhere")})
		var missing *types.ResourceNotFoundException
		equal(t, errors.As(err, &missing), true)
		equal(t, missing.ErrorMessage(), "Stream nowhere under account "+account+" not found.")
		_, err = c.CreateStream(t.Context(), &kinesis.CreateStreamInput{
			StreamName: aws.String("s"), ShardCount: aws.Int32(0),
		})
		equal(t, refused(t, err, "ValidationException").ErrorMessage(),
			"1 validation error detected: Value '0' at 'shardCount' failed to satisfy constraint: "+
				"Member must have value greater than or equal to 1")
		_, err = c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: aws.String("AAAA")})
		equal(t, refused(t, err, "InvalidArgumentException").ErrorMessage(), "Invalid ShardIterator.")
	})
}
