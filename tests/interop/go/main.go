// Verifies a log of ours with implementations of others: golang.org/x/mod/sumdb (the Go checksum database) and torchwood.
//
// Usage: interop DIRECTORY, which holds what test_go_verifies_our_logs.py wrote: the log as tlog-tiles files, checkpoints of
// several sizes, proofs made by our code, and altered ones. Prints one JSON object: each check by name, "" where it holds, else
// why not. Writes from-go/ with notes and proofs made by these implementations, for our code to verify.
package main

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// expected is what the test says of the log.
type expected struct {
	LogKey      string   `json:"log_key"`
	WitnessKeys []string `json:"witness_keys"`
	Origin      string   `json:"origin"`
	Size        int64    `json:"size"`
	Sizes       []int64  `json:"sizes"`
	EntriesHash string   `json:"entries_sha256"` // of all entries, each after its length
	Inclusion   []struct {
		Index int64    `json:"index"`
		Size  int64    `json:"size"`
		Proof []string `json:"proof"`
	} `json:"inclusion"`
	Consistency []struct {
		Old   int64    `json:"old"`
		Size  int64    `json:"size"`
		Proof []string `json:"proof"`
	} `json:"consistency"`
	Proofs []struct {
		File  string `json:"file"`
		Entry string `json:"entry"` // base64
	} `json:"proofs"`
	Altered []struct {
		Name  string `json:"name"`
		Kind  string `json:"kind"` // checkpoint or proof
		File  string `json:"file"`
		Entry string `json:"entry"`
	} `json:"altered"`
	TrustFile string `json:"trust_file"`
}

type run struct {
	dir     string
	said    expected
	log     note.Verifier
	policy  torchwood.Policy
	tiles   torchwood.TileReader
	entries [][]byte
	result  map[string]string
}

func main() {
	r := &run{dir: os.Args[1], result: map[string]string{}}
	must(json.Unmarshal(r.read("expected.json"), &r.said))
	r.keys()
	r.checkpoints()
	r.readEntries()
	r.treesAndProofs()
	r.tlogProofs()
	r.altered()
	r.write()
	out, err := json.Marshal(r.result)
	must(err)
	fmt.Println(string(out))
}

func (r *run) keys() {
	var err error
	r.log, err = note.NewVerifier(r.said.LogKey)
	must(err)
	policies := []torchwood.Policy{torchwood.SingleVerifierPolicy(r.log), torchwood.OriginPolicy(r.said.Origin)}
	for _, vkey := range r.said.WitnessKeys {
		witness, err := torchwood.NewCosignatureVerifier(vkey)
		must(err)
		policies = append(policies, torchwood.SingleVerifierPolicy(witness))
	}
	r.policy = torchwood.ThresholdPolicy(len(policies), policies...)
	_, err = torchwood.ParsePolicy([]byte(r.said.TrustFile))
	r.check("trust file", err)
	r.tiles, err = torchwood.NewTileFS(os.DirFS(filepath.Join(r.dir, "log")))
	must(err)
}

// checkpoints opens each signed checkpoint, by the note package alone and with every witness.
func (r *run) checkpoints() {
	for _, size := range r.said.Sizes {
		name := fmt.Sprintf("checkpoint %d", size)
		signed := r.read(fmt.Sprintf("checkpoints/%d", size))
		opened, err := note.Open(signed, note.VerifierList(r.log))
		if err == nil && len(opened.UnverifiedSigs) != len(r.said.WitnessKeys) {
			err = fmt.Errorf("%d other signatures", len(opened.UnverifiedSigs))
		}
		r.check(name+" as a note", err)
		checkpoint, _, err := torchwood.VerifyCheckpoint(signed, r.policy)
		if err == nil && (checkpoint.N != size || checkpoint.Origin != r.said.Origin) {
			err = fmt.Errorf("it says %q, %d", checkpoint.Origin, checkpoint.N)
		}
		r.check(name+" with witnesses", err)
	}
}

// readEntries reads every entry out of the bundles, each proven against the last checkpoint's tree by the client.
func (r *run) readEntries() {
	client, err := torchwood.NewClient(r.tiles)
	must(err)
	hash, count := sha256.New(), int64(0)
	for index, entry := range client.AllEntries(context.Background(), r.tree(r.said.Size), 0) {
		if index != count {
			break
		}
		fmt.Fprintf(hash, "%d\n%s", len(entry), entry)
		r.entries = append(r.entries, append([]byte(nil), entry...))
		count++
	}
	err = client.Err()
	if err == nil && (count != r.said.Size || hex.EncodeToString(hash.Sum(nil)) != r.said.EntriesHash) {
		err = fmt.Errorf("%d entries, not those that were written", count)
	}
	r.check("entries out of the tiles", err)
}

// treesAndProofs recomputes each root from the tiles, checks our proofs, and compares them with Go's own.
func (r *run) treesAndProofs() {
	for _, size := range r.said.Sizes {
		root, err := tlog.TreeHash(size, r.hashes(size))
		if err == nil && root != r.tree(size).Hash {
			err = fmt.Errorf("another root: %v", root)
		}
		r.check(fmt.Sprintf("root of %d from the tiles", size), err)
	}
	for _, one := range r.said.Inclusion {
		proof := tlog.RecordProof(hashesOf(one.Proof))
		leaf := tlog.RecordHash(r.entries[one.Index])
		err := tlog.CheckRecord(proof, one.Size, r.tree(one.Size).Hash, one.Index, leaf)
		if err == nil {
			var own tlog.RecordProof
			own, err = tlog.ProveRecord(one.Size, one.Index, r.hashes(one.Size))
			if err == nil && fmt.Sprint(own) != fmt.Sprint(proof) {
				err = fmt.Errorf("Go proves it otherwise")
			}
		}
		r.check(fmt.Sprintf("inclusion of %d in %d", one.Index, one.Size), err)
	}
	for _, one := range r.said.Consistency {
		proof := tlog.TreeProof(hashesOf(one.Proof))
		err := tlog.CheckTree(proof, one.Size, r.tree(one.Size).Hash, one.Old, r.tree(one.Old).Hash)
		if err == nil {
			var own tlog.TreeProof
			own, err = tlog.ProveTree(one.Size, one.Old, r.hashes(one.Size))
			if err == nil && fmt.Sprint(own) != fmt.Sprint(proof) {
				err = fmt.Errorf("Go proves it otherwise")
			}
		}
		r.check(fmt.Sprintf("consistency of %d and %d", one.Old, one.Size), err)
	}
}

// tlogProofs verifies proofs as bundles hold them.
func (r *run) tlogProofs() {
	for _, one := range r.said.Proofs {
		entry, err := base64.StdEncoding.DecodeString(one.Entry)
		must(err)
		r.check(one.File, torchwood.VerifyProof(r.policy, tlog.RecordHash(entry), r.read(one.File)))
	}
}

// altered says why each altered file is refused; "" would mean that it was accepted.
func (r *run) altered() {
	for _, one := range r.said.Altered {
		var err error
		if one.Kind == "checkpoint" {
			_, _, err = torchwood.VerifyCheckpoint(r.read(one.File), r.policy)
		} else {
			entry, _ := base64.StdEncoding.DecodeString(one.Entry)
			err = torchwood.VerifyProof(r.policy, tlog.RecordHash(entry), r.read(one.File))
		}
		r.check("altered: "+one.Name, err)
	}
}

// write makes a signed, cosigned checkpoint and a proof with these implementations.
func (r *run) write() {
	seed := sha256.Sum256([]byte("a key for tests only"))
	key := ed25519.NewKeyFromSeed(seed[:])
	name := strings.Split(r.said.Origin, "/")[0]
	vkey, err := note.NewEd25519VerifierKey(name, key.Public().(ed25519.PublicKey))
	must(err)
	hash := sha256.Sum256(append([]byte(name+"\n\x01"), key.Public().(ed25519.PublicKey)...))
	secret := base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...))
	signer, err := note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%x+%s", name, hash[:4], secret))
	must(err)
	witness, err := torchwood.NewCosignatureSigner("witness.from.go", key)
	must(err)
	tree := r.tree(r.said.Size)
	text := torchwood.Checkpoint{Origin: r.said.Origin, Tree: tree}.String()
	signed, err := note.Sign(&note.Note{Text: text}, signer, witness)
	must(err)
	index := r.said.Size / 3
	proof, err := tlog.ProveRecord(r.said.Size, index, r.hashes(r.said.Size))
	must(err)
	folder := filepath.Join(r.dir, "from-go")
	must(os.MkdirAll(folder, 0o755))
	for file, data := range map[string][]byte{
		"checkpoint": signed, "vkey": []byte(vkey), "witness": []byte(witness.Verifier().String()),
		"proof": torchwood.FormatProof(index, proof, signed), "entry": r.entries[index],
	} {
		must(os.WriteFile(filepath.Join(folder, file), data, 0o644))
	}
}

// tree is the tree that the checkpoint of this size states, once its signature is verified.
func (r *run) tree(size int64) tlog.Tree {
	checkpoint, _, err := torchwood.VerifyCheckpoint(r.read(fmt.Sprintf("checkpoints/%d", size)), r.policy)
	must(err)
	return checkpoint.Tree
}

func (r *run) hashes(size int64) tlog.HashReader {
	return torchwood.TileHashReaderWithContext(context.Background(), r.tree(size), r.tiles)
}

func (r *run) read(file string) []byte {
	data, err := os.ReadFile(filepath.Join(r.dir, file))
	must(err)
	return data
}

func (r *run) check(name string, err error) {
	r.result[name] = ""
	if err != nil {
		r.result[name] = err.Error()
	}
}

func hashesOf(encoded []string) []tlog.Hash {
	found := make([]tlog.Hash, len(encoded))
	for i, text := range encoded {
		hash, err := tlog.ParseHash(text)
		must(err)
		found[i] = hash
	}
	return found
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
