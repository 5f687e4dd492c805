<?php
/**
 * A party in PHP 8.1 or newer: one file, nothing to install.
 *
 *   php partner.php consent consent.json EMAIL    publish a consent, wait for its receipt
 *   php partner.php withdraw EMAIL                publish a withdrawal
 *   php partner.php follow [N]                    read the feeds, fold, acknowledge; stop after N orders
 *   php partner.php keys match-key.json < FILE    match keys of lines `type TAB country TAB value` (| = line break)
 *   php -S 127.0.0.1:8080 partner.php             receive webhooks on /hook, answer on /check
 *
 * Environment: OPPOSABLE_URL, OPPOSABLE_PARTY, OPPOSABLE_KEY (HTTP); OPPOSABLE_WEBHOOK_SECRET, OPPOSABLE_STATE (webhooks).
 */
declare(strict_types=1);

// [http]
/** Publishes events and reads feeds. Every call may be repeated: an id counts once. */
final class Client
{
    public function __construct(private string $url, private string $party, private string $key) {}

    /** Publish one event; its id. Stored once this returns; the receipt says what became of it. */
    public function publish(string $type, array $data, ?string $id = null): string
    {
        $id ??= bin2hex(random_bytes(16));
        $event = ['specversion' => '1.0', 'id' => $id, 'source' => $this->party, 'type' => $type, 'data' => $data];
        $this->call('POST', '/v1/events', json_encode($event, JSON_THROW_ON_ERROR));
        return $id;
    }

    /** A page of `receipts`, `permissions`, `withdrawals` or `requests`: events, and `next` to store after acting on them. */
    public function feed(string $feed, ?string $after = null, int $wait = 20): array
    {
        return $this->call('GET', "/v1/feed/$feed?wait=$wait" . ($after === null ? '' : '&after=' . rawurlencode($after)));
    }

    public function matchKey(string $rightsUrl): array
    {
        return (new self($rightsUrl, $this->party, $this->key))->call('GET', '/v1/match-key');
    }

    private function call(string $method, string $path, ?string $body = null): array
    {
        $http = ['method' => $method, 'timeout' => 60, 'ignore_errors' => true, 'content' => $body ?? '',
            'header' => "Authorization: Bearer {$this->key}\r\nContent-Type: application/json\r\nConnection: close"];
        for ($try = 1; ; $try++) {
            $answer = @file_get_contents($this->url . $path, false, stream_context_create(['http' => $http]));
            $status = $answer === false ? 0 : (int) explode(' ', $http_response_header[0])[1];
            if ($status >= 200 && $status < 300) {
                return json_decode($answer, true, 64, JSON_THROW_ON_ERROR);
            }
            if ($try === 5 || ($status >= 400 && $status < 500 && $status !== 429)) {
                throw new RuntimeException("$method $path: $status " . substr((string) $answer, 0, 500));
            }
            usleep(250_000 * 2 ** $try); // in doubt the same event again, under the same id
        }
    }
}
// [/http]

// [webhook]
/** Whether a webhook is ours (Standard Webhooks): a good signature among those that stand there, five minutes old at most. */
function verify(string $id, string $timestamp, string $signatures, string $body, string $secret, ?int $now = null): bool
{
    if (!ctype_digit($timestamp) || abs(($now ?? time()) - (int) $timestamp) > 300) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', trim($secret)), true);
    $good = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    $found = false;
    foreach (explode(' ', $signatures) as $one) {
        $found = hash_equals($good, $one) || $found;
    }
    return $found;
}
// [/webhook]

// [contacts]
/**
 * The normal form of a contact. Throws DomainException where it can be nobody's, or where this file cannot be sure: then
 * send the contact as it is and find the person by consent_ids or source_refs, never by a key of your own making.
 */
function normalise(string $type, string $value, ?string $country = null): string
{
    $value = preg_replace('/^[\s\x{a0}]+|[\s\x{a0}]+$/u', '', $value) ?? throw new DomainException('not UTF-8');
    switch ($type) {
        case 'email':
            $value = strtolower($value);
            $plain = '/^(?=[^@]{1,64}@)[a-z0-9_+-]+(\.[a-z0-9_+-]+)*@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/D';
            if (!preg_match($plain, $value) || str_contains($value, '--')) {
                throw new DomainException('no plain e-mail address');
            }
            return $value;
        case 'phone':
            $digits = str_replace([' ', '.', '-', "\u{a0}"], '', $value);
            if (preg_match('/^(?:\+33|0033|0)([1-9][0-9]{8})$/D', $digits, $m) && ($country === 'FR' || $digits[0] === '+')) {
                return "+33$m[1]";
            }
            // Elsewhere: international form only, and no trunk zero after the country code, which differs by country.
            $code = '1|7|2[07]|3[0-24-69]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42\d|5[09]\d|6[7-9]\d|8[0578]\d|9[679]\d';
            if (preg_match("/^\\+(?:$code)[1-9][0-9]{5,11}$/D", $digits)) {
                return $digits;
            }
            throw new DomainException('no number that can be normalised without a library');
        case 'post':
            $lines = array_map(fn ($line) => trim(preg_replace('/[\s\x{a0}]+/u', ' ', $line)), preg_split('/\R/u', $value));
            $value = implode("\n", array_filter($lines, fn ($line) => $line !== ''));
            $small = 'àáâãäåæçèéêëìíîïðñòóôõöøùúûüýþœÿ';
            if (preg_match("/[^\\x20-\\x7e\\n’€°$small" . 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŸ]/u', $value)) {
                throw new DomainException('letters that this file does not put into capitals');
            }
            $capitals = preg_split('//u', 'ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞŒŸ', -1, PREG_SPLIT_NO_EMPTY);
            $value = strtr(strtoupper($value), array_combine(preg_split('//u', $small, -1, PREG_SPLIT_NO_EMPTY), $capitals));
            break;
        default:
            if (preg_match('/[^\x20-\x7e]/', $value)) {
                throw new DomainException('beyond plain letters');
            }
    }
    return $value !== '' ? $value : throw new DomainException('blank');
}

/** What permissions and orders call a contact. `$key`: the answer of GET /v1/match-key. */
function match_key(array $key, string $type, string $normal): string
{
    $digest = hash_hmac('sha256', "$type\0$normal", base64_decode($key['key'], true), true);
    return "m{$key['version']}." . rtrim(strtr(base64_encode($digest), '+/', '-_'), '=');
}
// [/contacts]

// [fold]
/** What may be used now: a function of everything you were told, never of its order. `$state`: keep it in your database. */
final class Fold
{
    public function __construct(public array $state = ['lines' => [], 'stops' => [], 'seen' => [], 'answers' => []]) {}

    /** Take one event in; the acknowledgement it calls for, or null. The same event again changes nothing. */
    public function take(string $id, string $type, array $data): ?array
    {
        $order = $data['order_id'] ?? null;
        if (!isset($this->state['seen'][$id])) {
            $this->state['seen'][$id] = 1;
            if ($type === 'opposable.stop.ordered.v1') {
                $this->state['stops'][$order] = $data; // also about a person you do not know: the permission may come later
                $this->state['answers'][$order] = $this->knows($data)
                    ? ['order_id' => $order, 'status' => 'applied', 'applied_at' => instant()]
                    : ['order_id' => $order, 'status' => 'unknown_person'];
            } elseif (str_starts_with($type, 'opposable.permission.')) {
                $line = json_encode([$data['record'], $data['channel'], $data['purpose'], $data['sector']]);
                $this->state['lines'][$line] = $data + ['granted' => $type === 'opposable.permission.granted.v1'];
            }
        }
        return $type === 'opposable.stop.ordered.v1' ? $this->state['answers'][$order] : null;
    }

    /** Whether a person may be contacted, by consent or by match key. Instants have one length: as texts they compare. */
    public function may(string $channel, string $purpose, ?string $consent, ?string $key = null, ?string $now = null): bool
    {
        $now ??= instant();
        foreach ($this->state['lines'] as $line) {
            $asked = $line['consent_id'] === $consent || in_array($key, keys($line), true);
            if ($asked && $line['granted'] && $line['channel'] === $channel && $line['purpose'] === $purpose
                && $line['collected_at'] <= $now && $now < $line['valid_until'] && !$this->stopped($line)) {
                return true;
            }
        }
        return false;
    }

    private function stopped(array $line): bool
    {
        foreach ($this->state['stops'] as $stop) {
            $scope = fn (string $many, string $one) => $stop[$many] === 'all' || in_array($line[$one], $stop[$many], true);
            if (self::concerns($stop, $line) && $scope('channels', 'channel') && $scope('purposes', 'purpose')
                && $stop['at'] >= $line['collected_at']) { // at the same instant the stop wins
                return true;
            }
        }
        return false;
    }

    private function knows(array $stop): bool
    {
        return array_filter($this->state['lines'], fn ($line) => self::concerns($stop, $line)) !== [];
    }

    private static function concerns(array $stop, array $line): bool
    {
        return in_array($line['consent_id'], $stop['consent_ids'] ?? [], true)
            || array_intersect(keys($line), keys($stop)) !== [];
    }
}

/** Match keys of a permission or an order. */
function keys(array $told): array
{
    return array_column($told['match_keys'] ?? [], 'key');
}

/** Now, as the platform writes instants. */
function instant(): string
{
    return (new DateTimeImmutable('now', new DateTimeZone('UTC')))->format('Y-m-d\TH:i:s.v\Z');
}
// [/fold]

// [receive]
/** One HTTP request: a webhook on /hook, the conformance kit's question on /check. Answers [status, body]. */
function receive(string $path, array $headers, string $body, string $secret, string $state): array
{
    $file = fopen($state, 'c+');
    flock($file, LOCK_EX); // here a file; in your system a transaction
    $text = stream_get_contents($file);
    $fold = $text === '' ? new Fold() : new Fold(json_decode($text, true));
    if ($path === '/check') {
        $q = json_decode($body, true);
        return [200, ['allowed' => $fold->may($q['channel'], $q['purpose'], $q['consent_id'] ?? null, $q['match_key']['key'] ?? null)]];
    }
    $id = $headers['webhook-id'] ?? '';
    if (!verify($id, $headers['webhook-timestamp'] ?? '', $headers['webhook-signature'] ?? '', $body, $secret)) {
        return [401, ['error' => 'signature']];
    }
    $event = json_decode($body, true, 64, JSON_THROW_ON_ERROR);
    $answer = $fold->take($id, $event['type'], $event['data']);
    ftruncate($file, 0);
    rewind($file);
    fwrite($file, json_encode($fold->state));
    fflush($file); // kept first, acknowledged second
    return $answer === null ? [204, null] : [200, $answer];
}
// [/receive]

if (PHP_SAPI === 'cli-server') {
    [$status, $answer] = receive(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH), array_change_key_case(getallheaders()),
        file_get_contents('php://input'), getenv('OPPOSABLE_WEBHOOK_SECRET'), getenv('OPPOSABLE_STATE'));
    http_response_code($status);
    header('Content-Type: application/json');
    echo $answer === null ? '' : json_encode($answer);
    return;
}
if (realpath($_SERVER['SCRIPT_FILENAME']) !== __FILE__) {
    return; // included by your own code
}

// [commands]
$client = new Client((string) getenv('OPPOSABLE_URL'), (string) getenv('OPPOSABLE_PARTY'), (string) getenv('OPPOSABLE_KEY'));
switch ($argv[1] ?? '') {
    case 'consent':
        $bytes = bin2hex(random_bytes(16)); // a UUID, version 4
        $bytes[12] = '4';
        $bytes[16] = 'a';
        $consent = vsprintf('%s%s-%s-%s-%s-%s%s%s', str_split($bytes, 4));
        $data = json_decode(file_get_contents($argv[2]), true, 64, JSON_THROW_ON_ERROR);
        $data += ['consent_id' => $consent, 'collected_at' => instant(), 'contacts' => [['type' => 'email', 'value' => $argv[3]]]];
        $id = $client->publish('opposable.consent.collected.v1', $data, "c-$consent");
        for ($after = null; ; $after = $page['next']) {
            $page = $client->feed('receipts', $after);
            foreach ($page['events'] as $event) {
                if ($event['data']['event_id'] === $id) {
                    exit("{$event['data']['status']} $consent " . json_encode($event['data']['problems']) . "\n");
                }
            }
        }
    case 'withdraw':
        $stop = 'w-' . bin2hex(random_bytes(12));
        $client->publish('opposable.stop.requested.v1', ['stop_id' => $stop, 'at' => instant(), 'kind' => 'withdrawal',
            'contacts' => [['type' => 'email', 'value' => $argv[2]]]], $stop);
        exit("withdrawn $stop\n");
    case 'follow':
        $fold = new Fold();
        $after = ['permissions' => null, 'withdrawals' => null];
        for ($left = (int) ($argv[2] ?? PHP_INT_MAX); $left > 0;) {
            foreach ($after as $feed => $cursor) {
                $page = $client->feed($feed, $cursor, 1);
                foreach ($page['events'] as $event) {
                    $answer = $fold->take($event['id'], $event['type'], $event['data']);
                    if ($answer !== null) { // its id is made of its content: sent twice, it counts once
                        $client->publish('opposable.order.acknowledged.v1', $answer, 'ack-' . hash('xxh128', json_encode($answer)));
                        echo "{$answer['status']} {$answer['order_id']} {$event['data']['stop_id']}\n";
                        $left--;
                    } else {
                        [$channel, $purpose, $consent] = [$event['data']['channel'], $event['data']['purpose'], $event['data']['consent_id']];
                        echo ($fold->may($channel, $purpose, $consent) ? 'may' : 'may not') . " $channel $consent\n";
                    }
                }
                $after[$feed] = $page['next'];
            }
        }
        exit(0);
    case 'keys':
        $key = json_decode(file_get_contents($argv[2]), true, 8, JSON_THROW_ON_ERROR);
        while (($line = fgets(STDIN)) !== false) {
            [$type, $country, $value] = explode("\t", rtrim($line, "\n"));
            try {
                $normal = normalise($type, strtr($value, '|', "\n"), $country ?: null);
                echo match_key($key, $type, $normal), "\t", strtr($normal, "\n", '|'), "\n";
            } catch (DomainException $reason) {
                echo "-\t{$reason->getMessage()}\n";
            }
        }
        exit(0);
    default:
        fwrite(STDERR, "php partner.php consent | withdraw | follow | keys: see the head of this file\n");
        exit(2);
}
// [/commands]
