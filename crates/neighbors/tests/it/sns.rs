//! Topics, subscriptions and what is refused of messages.

use crate::house::cases;
use neighbors::sns::{Options, Sns};

/// Options with which deliveries wait for long: nothing answers in these tests.
fn few(topics_max: usize, subscriptions_max: usize) -> Options {
    Options { topics_max, subscriptions_max, ..Options::default() }
}

cases! { Sns
    a_new_topic: "
        let t arn:aws:sns:us-east-1:000000000000:t
        CreateTopic Name=t Tags=[{Key=k Value=v}] = TopicArn=$t
        CreateTopic Name=t = TopicArn=$t
        CreateTopic Name=t Tags=[{Key=k Value=v}] = TopicArn=$t
        CreateTopic Name=t Tags=[{Key=k Value=w}] \
          ! InvalidParameterException: Invalid parameter: Tags Reason: Topic already exists with different tags
        CreateTopic Name=t Attributes={'DisplayName'=d} \
          ! InvalidParameterException: Invalid parameter: Attributes Reason: Topic already exists with different attributes
        GetTopicAttributes TopicArn=$t = Attributes={'TopicArn'=$t 'Owner'=_ 'DisplayName'='' \
          'SubscriptionsConfirmed'='0' 'SubscriptionsPending'='0' 'SubscriptionsDeleted'='0' \
          'EffectiveDeliveryPolicy'=_ 'Policy'=_ 'SignatureVersion'=null}
        ListTagsForResource ResourceArn=$t = Tags=[{Key=k Value=v}]
        TagResource ResourceArn=$t Tags=[{Key=l Value=w}]
        UntagResource ResourceArn=$t TagKeys=[k]
        restart
        ListTagsForResource ResourceArn=$t = Tags=[{Key=l Value=w}]
        TagResource ResourceArn=$t Tags=[{Key='aws:x' Value=w}] ! InvalidParameterException
        TagResource ResourceArn='$tx' Tags=[{Key=l Value=w}] ! InvalidParameterException
        TagResource ResourceArn='arn:aws:sns:us-east-1:000000000000:u' Tags=[{Key=l Value=w}] \
          ! ResourceNotFoundException: Resource does not exist
        ListTopics = Topics=[{TopicArn=$t}] NextToken=null
        DeleteTopic TopicArn=$t ; DeleteTopic TopicArn=$t
        ListTopics = Topics=[]
        GetTopicAttributes TopicArn=$t ! NotFoundException: Topic does not exist
        rows topic/ = 0
        rows tags/ = 0
    "

    names_of_topics: "
        let invalid InvalidParameterException: Invalid parameter
        CreateTopic Name='a b' ! $invalid: Topic Name
        CreateTopic Name='' ! $invalid: Topic Name
        CreateTopic Name='a/b' ! $invalid: Topic Name
        CreateTopic Name=x*257 ! $invalid: Topic Name
        CreateTopic Name=x*256
        CreateTopic Name='a.fifo' Attributes={'FifoTopic'='true'} \
          ! $invalid: Attributes Reason: FIFO topics are not supported by this server
        CreateTopic Name=a Attributes={'FifoTopic'='true'} \
          ! $invalid: Attributes Reason: FIFO topics are not supported by this server
        CreateTopic Name=a Attributes={'FifoTopic'='false'}
        GetTopicAttributes TopicArn=a \
          ! $invalid: TopicArn Reason: An ARN must have at least 6 elements, not 1
        GetTopicAttributes TopicArn='arn:aws:sns:eu-west-1:000000000000:a' ! $invalid: TopicArn
        GetTopicAttributes TopicArn='arn:aws:sqs:us-east-1:000000000000:a' ! $invalid: TopicArn
    "

    attributes_of_topics: "
        let t arn:aws:sns:us-east-1:000000000000:t
        let invalid InvalidParameterException: Invalid parameter
        let set SetTopicAttributes TopicArn=$t
        CreateTopic Name=t Attributes={'DisplayName'=d 'SignatureVersion'='2'}
        GetTopicAttributes TopicArn=$t = Attributes={'DisplayName'=d 'SignatureVersion'='2'}
        CreateTopic Name=t Attributes={'DisplayName'=d} = TopicArn=$t
        SetTopicAttributes TopicArn=$t AttributeName=DisplayName AttributeValue=e
        SetTopicAttributes TopicArn=$t AttributeName=DeliveryPolicy AttributeValue='{\"http\":{}}'
        SetTopicAttributes TopicArn=$t AttributeName=TracingConfig AttributeValue=PassThrough
        restart
        GetTopicAttributes TopicArn=$t = Attributes={'DisplayName'=e 'TracingConfig'=PassThrough \
          'DeliveryPolicy'='{\"http\":{}}'}
        SetTopicAttributes TopicArn=$t AttributeName=Other AttributeValue=e ! $invalid: AttributeName
        SetTopicAttributes TopicArn=$t AttributeName=Owner AttributeValue=e ! $invalid: AttributeName
        SetTopicAttributes TopicArn=$t AttributeName=DisplayName AttributeValue=e*101 \
          ! $invalid: DisplayName Reason: Display Name must be at most 100 characters long
        SetTopicAttributes TopicArn=$t AttributeName=SignatureVersion AttributeValue='3' \
          ! $invalid: SignatureVersion Reason: it must be 1 or 2
        SetTopicAttributes TopicArn=$t AttributeName=DeliveryPolicy AttributeValue=x \
          ! $invalid: DeliveryPolicy Reason: it must be a JSON object
        SetTopicAttributes TopicArn=$t AttributeName=KmsMasterKeyId AttributeValue=x \
          ! $invalid: KmsMasterKeyId Reason: KmsMasterKeyId is not supported by this server
        SetTopicAttributes TopicArn=$t AttributeName=KmsMasterKeyId AttributeValue=''
        SetTopicAttributes TopicArn=$t AttributeName=HTTPSuccessFeedbackRoleArn AttributeValue=x \
          ! $invalid: HTTPSuccessFeedbackRoleArn Reason: HTTPSuccessFeedbackRoleArn is not supported by this server
        SetTopicAttributes TopicArn='arn:aws:sns:us-east-1:000000000000:u' AttributeName=DisplayName \
          ! NotFoundException: Topic does not exist
    "

    policies_let_other_accounts_in: "
        let t arn:aws:sns:us-east-1:000000000000:t
        let to TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/'
        let invalid InvalidParameterException: Invalid parameter
        let set SetTopicAttributes TopicArn=$t AttributeName=Policy AttributeValue
        CreateTopic Name=t
        Publish TopicArn=$t Message=m
        @111111111111 Publish TopicArn=$t Message=m ! AuthorizationErrorException: \
          User: arn:aws:iam::111111111111:user/ann is not authorized to perform: SNS:Publish on resource: \
          $t because no resource-based policy allows the SNS:Publish action
        @111111111111 Publish TopicArn='arn:aws:sns:us-east-1:000000000000:none' Message=m \
          ! AuthorizationErrorException
        SetTopicAttributes TopicArn=$t AttributeName=Policy AttributeValue='{\"Statement\":{\"Effect\":\"Allow\",\
          \"Principal\":{\"AWS\":\"111111111111\"},\"Action\":[\"SNS:Publish\",\"sns:Subscribe\"],\"Resource\":\"*\"}}'
        @111111111111 Publish TopicArn=$t Message=m = MessageId=_
        @111111111111 Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/' \
          = SubscriptionArn='pending confirmation'
        @111111111111 DeleteTopic TopicArn=$t ! AuthorizationErrorException
        @222222222222 Publish TopicArn=$t Message=m ! AuthorizationErrorException
        restart
        @111111111111 Publish TopicArn=$t Message=m
        GetTopicAttributes TopicArn=$t = Attributes={'Policy'=_}
        SetTopicAttributes TopicArn=$t AttributeName=Policy AttributeValue='{\"Statement\":{\"Effect\":\"Allow\",\
          \"Principal\":\"*\",\"Action\":\"sqs:SendMessage\"}}' \
          ! $invalid: Policy statement action out of service scope!
        SetTopicAttributes TopicArn=$t AttributeName=Policy AttributeValue='{}' \
          ! $invalid: Policy Error: `Statement` must hold at least one statement
        SetTopicAttributes TopicArn=$t AttributeName=Policy AttributeValue=''
        @111111111111 Publish TopicArn=$t Message=m ! AuthorizationErrorException
        rows policy/ = 0
    "

    the_default_policy_can_be_put_back: "
        let t arn:aws:sns:us-east-1:000000000000:t
        CreateTopic Name=t
        GetTopicAttributes TopicArn=$t = Attributes={'Policy'=$policy}
        SetTopicAttributes TopicArn=$t AttributeName=Policy AttributeValue='$policy'
        rows policy/ = 0
        @111111111111 Publish TopicArn=$t Message=m ! AuthorizationErrorException
    "

    callers_without_rights: "
        CreateTopic Name=t
        allow sns:GetTopicAttributes *
        GetTopicAttributes TopicArn='arn:aws:sns:us-east-1:000000000000:t'
        CreateTopic Name=u ! AuthorizationErrorException: User: arn:aws:iam::000000000000:user/ann is not \
          authorized to perform: SNS:CreateTopic on resource: arn:aws:sns:us-east-1:000000000000:u because \
          no identity-based policy allows the SNS:CreateTopic action
        ListTopics ! AuthorizationErrorException
        Publish TopicArn='arn:aws:sns:us-east-1:000000000000:t' Message=m ! AuthorizationErrorException
        Publish TopicArn='arn:aws:sns:us-east-1:000000000000:none' Message=m ! AuthorizationErrorException
        Unsubscribe SubscriptionArn='arn:aws:sns:us-east-1:000000000000:t:1' ! AuthorizationErrorException
        TagResource ResourceArn='arn:aws:sns:us-east-1:000000000000:t' Tags=[] ! AuthorizationErrorException
    "

    what_may_be_subscribed: "
        let t arn:aws:sns:us-east-1:000000000000:t
        let invalid InvalidParameterException: Invalid parameter
        CreateTopic Name=t
        Subscribe TopicArn=$t Protocol=sqs Endpoint='arn:aws:sqs:us-east-1:000000000000:q' \
          ! $invalid: Amazon SNS does not support this protocol string: sqs
        Subscribe TopicArn=$t Protocol=email Endpoint='a@b' \
          ! $invalid: Amazon SNS does not support this protocol string: email
        Subscribe TopicArn=$t Protocol=http ! NotFoundException
        Subscribe TopicArn=$t Protocol=https Endpoint='http://hook.test/' \
          ! $invalid: Endpoint must match the specified protocol
        Subscribe TopicArn=$t Protocol=http Endpoint='http://u:p@hook.test/' \
          ! $invalid: Endpoint Reason: an address must hold no user and no password
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:22/' \
          ! $invalid: Endpoint Reason: the port 22 must not be posted to
        Subscribe TopicArn=$t Protocol=http Endpoint='http://169.254.169.254/' \
          ! $invalid: Endpoint Reason: `169.254.169.254` is at 169.254.169.254, which must not be posted to
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/' Attributes={'FilterPolicy'='{}'} \
          ! $invalid: Attributes Reason: FilterPolicy is not supported by this server
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/' Attributes={'X'='{}'} \
          ! $invalid: Attributes Reason: AttributeName
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/' \
          Attributes={'RawMessageDelivery'='yes'} ! $invalid: Attributes Reason: RawMessageDelivery: \
          Invalid value [yes]. Must be true or false.
        Subscribe TopicArn='arn:aws:sns:us-east-1:000000000000:u' Protocol=http Endpoint='http://hook.test:65535/' \
          ! NotFoundException: Topic does not exist
        rows subscription/ = 0
    "

    a_subscription_until_it_is_confirmed: "
        let t arn:aws:sns:us-east-1:000000000000:t
        CreateTopic Name=t
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/' \
          = SubscriptionArn='pending confirmation'
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/' ReturnSubscriptionArn=true \
          = SubscriptionArn=$s
        rows subscription/ = 1
        rows delivery/ = 1
        GetSubscriptionAttributes SubscriptionArn=$s = Attributes={'PendingConfirmation'='true' \
          'RawMessageDelivery'='false' 'Protocol'=http 'Endpoint'='http://hook.test:65535/' 'TopicArn'=$t \
          'SubscriptionArn'=$s 'ConfirmationWasAuthenticated'='false' \
          'SubscriptionPrincipal'='arn:aws:iam::000000000000:user/ann'}
        ListSubscriptionsByTopic TopicArn=$t = Subscriptions=[{SubscriptionArn=PendingConfirmation \
          Protocol=http Endpoint='http://hook.test:65535/' TopicArn=$t Owner=_}]
        GetTopicAttributes TopicArn=$t = Attributes={'SubscriptionsPending'='1'}
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/' \
          Attributes={'RawMessageDelivery'='true'} ! InvalidParameterException: Invalid parameter: \
          Attributes Reason: Subscription already exists with different attributes
        @111111111111 GetSubscriptionAttributes SubscriptionArn=$s ! NotFoundException
        @111111111111 Unsubscribe SubscriptionArn=$s ! AuthorizationErrorException
        ConfirmSubscription TopicArn=$t Token=abc ! InvalidParameterException: Invalid parameter: Token
        Publish TopicArn=$t Message=m
        rows message/ = 1
        Unsubscribe SubscriptionArn=$s ; Unsubscribe SubscriptionArn=$s
        GetSubscriptionAttributes SubscriptionArn=$s ! NotFoundException: Subscription does not exist
        ListSubscriptionsByTopic TopicArn=$t = Subscriptions=[]
        rows subscription/ = 0
        Unsubscribe SubscriptionArn=$t ! InvalidParameterException: Invalid parameter: SubscriptionId
        Unsubscribe SubscriptionArn=x ! InvalidParameterException: Invalid parameter: SubscriptionArn \
          Reason: An ARN must have at least 6 elements, not 1
    "

    limits (few(2, 2)): "
        let t arn:aws:sns:us-east-1:000000000000:t
        CreateTopic Name=t ; CreateTopic Name=u ; CreateTopic Name=t
        CreateTopic Name=v ! TopicLimitExceededException: The account has 2 topics in this region already.
        @000000000000/eu-west-1 CreateTopic Name=v
        2x Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/$i'
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/0'
        Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/2' \
          ! SubscriptionLimitExceededException: The topic has 2 subscriptions already.
    "

    pages: "
        let t arn:aws:sns:us-east-1:000000000000:t
        CreateTopic Name=t
        101x Subscribe TopicArn=$t Protocol=http Endpoint='http://hook.test:65535/$i'
        ListSubscriptionsByTopic TopicArn=$t = Subscriptions.length=100 NextToken=$next
        ListSubscriptionsByTopic TopicArn=$t NextToken='$next' = Subscriptions.length=1 NextToken=null
        ListTopics NextToken='$next' ! InvalidParameterException: Invalid parameter: NextToken
        ListTopics NextToken=x ! InvalidParameterException: Invalid parameter: NextToken
        100x CreateTopic Name=t$i
        ListTopics = Topics.length=100 NextToken=$more
        ListTopics NextToken='$more' = Topics=[{TopicArn=_}] NextToken=null
    "

    what_may_be_published: "
        let t arn:aws:sns:us-east-1:000000000000:t
        let invalid InvalidParameterException: Invalid parameter
        let value InvalidParameterValueException
        CreateTopic Name=t
        Publish Message=m ! $invalid: TopicArn or TargetArn Reason: no value for required parameter
        Publish TargetArn=$t Message=m = MessageId=_
        Publish TopicArn='arn:aws:sns:us-east-1:000000000000:u' Message=m ! NotFoundException: Topic does not exist
        Publish PhoneNumber='+1' Message=m ! $invalid: PhoneNumber Reason: SMS is not supported by this server
        Publish TopicArn=$t Message='' ! $invalid: Empty message
        Publish TopicArn=$t Message=m Subject='' ! $invalid: Subject
        Publish TopicArn=$t Message=m Subject=s*100
        Publish TopicArn=$t Message=m Subject=s*101 ! $invalid: Subject
        Publish TopicArn=$t Message=m Subject=é ! $invalid: Subject
        Publish TopicArn=$t Message=m Subject=' s' ! $invalid: Subject
        Publish TopicArn=$t Message=m*262144
        Publish TopicArn=$t Message=m*262145 ! $invalid: Message too long
        Publish TopicArn=$t Message=m*262140 MessageAttributes={'a'={DataType=String StringValue=b}} \
          ! $invalid: Message too long
        Publish TopicArn=$t Message=m MessageStructure=json \
          ! $invalid: Message Structure - JSON message body failed to parse
        Publish TopicArn=$t Message='{\"http\":\"m\"}' MessageStructure=json \
          ! $invalid: Message Structure - No default entry in JSON message body
        Publish TopicArn=$t Message='{\"default\":7}' MessageStructure=json \
          ! $invalid: Message Structure - No default entry in JSON message body
        Publish TopicArn=$t Message='{\"default\":\"m\",\"sms\":7}' MessageStructure=json
        Publish TopicArn=$t Message=m MessageStructure=xml \
          ! $invalid: MessageStructure Reason: xml is none, json is the only one
        Publish TopicArn=$t Message=m MessageDeduplicationId=d ! $invalid: MessageDeduplicationId Reason: \
          The request includes MessageDeduplicationId parameter that is not valid for this topic type
        Publish TopicArn=$t Message=m MessageAttributes={'.a'={DataType=String StringValue=b}} \
          ! $value: Invalid message attribute name starting with character '.' was found.
        Publish TopicArn=$t Message=m MessageAttributes={'a..b'={DataType=String StringValue=b}} \
          ! $value: Message attribute name can not have successive '.' character.
        Publish TopicArn=$t Message=m MessageAttributes={'a b'={DataType=String StringValue=b}} \
          ! $value: Invalid non-alphanumeric character '#x20' was found in the message attribute name. \
          Can only include alphanumeric characters, hyphens, underscores, or dots.
        Publish TopicArn=$t Message=m MessageAttributes={'a'={DataType=Other StringValue=b}} \
          ! $value: The message attribute 'a' has an invalid message attribute type, the set of supported \
          type prefixes is Binary, Number, and String.
        Publish TopicArn=$t Message=m MessageAttributes={'a'={DataType=String StringValue=''}} \
          ! $value: The message attribute 'a' must contain non-empty message attribute value for message \
          attribute type 'String'.
        Publish TopicArn=$t Message=m MessageAttributes={'a'={DataType=Binary StringValue=x}} \
          ! $value: The message attribute 'a' with type 'Binary' must use field 'Binary'.
        Publish TopicArn=$t Message=m MessageAttributes={'a'={DataType=Number StringValue=x}} \
          ! $value: Could not cast message attribute 'a' value to number.
        Publish TopicArn=$t Message=m MessageAttributes={'a'={DataType='String.Array' StringValue='[]'} \
          'b'={DataType=Number StringValue='1e3'}}
    "
}
