import { exitStatus } from './exit-status.ts';
import type { Io } from './io.ts';
import type { CommonOptions } from './open.ts';

/*
 * The scripts know nothing of verbs and options: they ask the program that is installed, which also knows the
 * tasks that are there. An answer is a word a line, with what it is behind a tab.
 */

const bash = `# bash completion for outlive: source <(outlive completion bash)
_outlive() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o bashdefault -o default -F _outlive outlive
`;

const zsh = `#compdef outlive
# zsh completion for outlive: a file named _outlive in a folder of fpath, or source <(outlive completion zsh)
_outlive() {
  local line
  local -a values shown
  for line in "\${(@f)$("\${words[1]}" __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    values+=("\${line%%$'\\t'*}")
    shown+=("\${line/$'\\t'/  -- }")
  done
  if (( \${#values} )); then
    compadd -l -d shown -a values
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _outlive ]]; then
  _outlive "$@"
else
  compdef _outlive outlive
fi
`;

const fish = `# fish completion for outlive: outlive completion fish > ~/.config/fish/completions/outlive.fish
function __outlive_complete
    set -l words (commandline -opc)
    $words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c outlive -a '(__outlive_complete)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

/** `outlive completion`: the script that teaches a shell our words. */
export async function completion(
  io: Io,
  [shell = '']: readonly string[],
  _options: CommonOptions,
): Promise<number> {
  await io.out(scripts[shell] ?? '');
  return exitStatus.ok;
}
